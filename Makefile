# `make help` lists the targets by task, `make` the first ones. They take the variables of .env.example: make up FRONTEND_PORT=9000
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := first
# Two targets at a time would download or install the same things.
.NOTPARALLEL:

# Started by make -f from elsewhere, nothing would be found. Functions of make take a path with a space for two.
ifeq ($(wildcard scripts/common.sh),)
  $(error run make in its own folder: make -C "$(shell dirname '$(subst ','\'',$(strip $(MAKEFILE_LIST)))')")
endif

ifeq ($(origin TP),command line)
  $(if $(TP),,$(error TP is empty: name the folder to grade))
endif

# Other tools use these names; the variables here start with LAB_.
$(foreach name,BIND LOG_LEVEL REGISTRY,$(if $(filter command,$(origin $(name))),$(error $(name): write LAB_$(name))))

# Shells do not run scripts with Windows line endings, and do not say so.
ifneq ($(shell grep -l "$$(printf '\r')" scripts/* doctor/*),)
  $(error the files in scripts/ or doctor/ have Windows line endings. In a clone: git config core.autocrlf false && git rm -rq --cached . && git reset -q --hard)
endif

# What nobody reads is misspelt, or meant for a service.
KNOWN := $(shell sed -n 's/^\# \([A-Z_]*\)=.*/\1/p' .env.example) TP IMAGE KEY IDENTITY ISSUER TAG FORCE ALLOW_STANDINS \
  COSIGN_KEY COSIGN_PASSWORD HUB_TOKEN OVERLAY INSTALL LAB_VERSION JSON
UNKNOWN = $(filter-out $(KNOWN) COMPOSE_% DOCKER_% BUILDKIT_% %PROXY %proxy npm_% NODE_% MAKE% SHELL,$(foreach word,$(MAKEOVERRIDES),$(firstword $(subst =, ,$(word)))))
$(foreach name,$(UNKNOWN),$(if $(filter command,$(origin $(name))),$(warning $(name): nothing reads it; docs/operations.md lists the variables)))

.DEFAULT:
	@echo "error: there is no target $@: make help lists them" >&2; exit 2

# The whole list is longer than a terminal: without a target, its first tasks.
.PHONY: first help
first help:
	@awk -F '##@ |:.*## ' -v most=$(if $(filter first,$@),3,99) ' \
		/^##@ / { if (++tasks > most) exit; printf "%s%s\n", more, $$2; more = "\n" } \
		/^[a-z0-9 -]+:.*## / { gsub(/ /, ", ", $$1); printf "  %-20s %s\n", $$1, $$2 } \
		END { if (tasks > most) print "\nmake help lists all: to publish, run on many machines, change, test, clean up" }' Makefile

##@ See what it does, and what a machine lacks. Example: make demo

.PHONY: demo
demo: engine bases grader ## take a tour: answers, crashes, restarts, the grader
	@sh scripts/demo

.PHONY: doctor
doctor: ## say what could keep make up from working, or JSON=1
	@sh scripts/doctor

##@ Run it. Example: make up FRONTEND_PORT=9000

.PHONY: up
up: engine bases ## build and start both services, print their responses
	@sh scripts/up

.PHONY: down
down: ## stop and remove the containers and the network
	@sh scripts/manage down

.PHONY: restart
restart: ## restart the containers
	@sh scripts/manage restart

.PHONY: ps
ps: ## list the containers
	@sh scripts/manage ps

.PHONY: logs
logs: ## follow the logs (Ctrl-C to stop)
	@sh scripts/manage logs --follow

##@ Grade it, or another submission. Example: make check TP=../submission

.PHONY: check
check: engine $(if $(TP),,bases) grader ## grade this folder, or TP=<folder>
	@# The subject fixes the ports: it is graded with them, whatever ports this machine uses.
	@BACKEND_PORT= FRONTEND_PORT= LAB_BIND= bin/grader "$(or $(TP),.)"

.PHONY: grader
grader: ## compile the grader, bin/grader: see bin/grader --help
	@sh scripts/grader

##@ Publish it. Example: make push HUB_USER=alice

.PHONY: build
build: engine bases ## build both images
	@sh scripts/build

.PHONY: tag
tag: engine bases ## build both images, tag them latest and with the version
	@sh scripts/publish --tag

.PHONY: push
push: engine bases ## build, push, sign and grade them, as HUB_USER
	@sh scripts/publish

.PHONY: verify
verify: $(if $(IMAGE),,engine bases) ## check a published IMAGE=<image>, or that builds repeat
	@sh scripts/verify

.PHONY: login
login: ## log in to the registry with HUB_TOKEN, in a workflow
	@sh scripts/login

.PHONY: release-check
release-check: ## compare the tag of a release with the version
	@sh scripts/release-check

##@ Run it on many machines. Example: make deploy LAB_BACKENDS=5

.PHONY: deploy
deploy: ## put both services on a Swarm, or update them there
	@sh scripts/deploy up

.PHONY: undeploy
undeploy: ## take them off the Swarm
	@sh scripts/deploy down

.PHONY: deploy-kubernetes
deploy-kubernetes: ## run the pushed images on the cluster of kubectl
	@sh scripts/deploy-kubernetes up

.PHONY: undeploy-kubernetes
undeploy-kubernetes: ## take them off the cluster
	@sh scripts/deploy-kubernetes down

##@ Change it. Example: sh scripts/test tests/stack.test.ts

.PHONY: dev
dev: ## run both services from source with live reload
	@sh scripts/dev

.PHONY: test
test: lint engine bases ## run the linters and all tests
	@sh scripts/test

.PHONY: lint
lint: ## check types, style, workflows and shell scripts
	@sh scripts/lint

.PHONY: recording
recording: engine bases grader ## record the launch for the README, as docs/launch.svg
	@sh scripts/recording

.PHONY: api-docs
api-docs: ## write docs/api.md and the OpenAPI documents
	@sh scripts/api-docs

.PHONY: test-debian12 test-debian13
test-debian12 test-debian13: ## run make up and all tests on a fresh Debian
	@sh scripts/test-debian $(@:test-debian%=%)

.PHONY: test-podman
test-podman: engine bases ## run the Kubernetes manifests with podman kube play
	@sh scripts/test-podman

##@ Measure it again, and update the tables in docs/. Example: make figures

.PHONY: figures
figures: engine bases ## sizes, memory, startup times, cost of a health check
	@sh scripts/test --figures

.PHONY: chaos
chaos: engine bases ## the fault and load tests, at full size
	@sh scripts/test --chaos

.PHONY: bench
bench: ## both services beside other servers
	@sh scripts/bench

.PHONY: scale
scale: engine bases ## a Swarm of three nodes, under load and faults
	@sh scripts/scale

##@ Prepare the machine, and clean up. Example: make engine

.PHONY: engine
engine: ## find an engine; as root on Debian, install a missing one
	@sh scripts/engine

.PHONY: bases
bases: engine ## pull the base images, or build stand-ins
	@sh scripts/bases

.PHONY: clean
clean: ## remove the stack, its images, stand-ins and downloads
	@sh scripts/clean
