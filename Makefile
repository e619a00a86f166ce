# `make` lists the targets. They take the variables of .env.example: make up FRONTEND_PORT=9000
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
# Two targets at a time would download or install the same things.
.NOTPARALLEL:

# Other tools use these names; the variables here start with LAB_.
$(foreach name,BIND LOG_LEVEL REGISTRY,$(if $(filter command,$(origin $(name))),$(error $(name): write LAB_$(name))))

# Shells do not run scripts with Windows line endings, and do not say so.
ifneq ($(shell grep -l "$$(printf '\r')" scripts/*),)
  $(error the files in scripts/ have Windows line endings. In a clone: git config core.autocrlf false && git rm -rq --cached . && git reset -q --hard)
endif

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9 -]+:.*## / { printf "  make %-28s %s\n", $$1, $$2 }' Makefile

.PHONY: up
up: engine bases ## build and start both services, wait until they are healthy, print their responses
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

.PHONY: build
build: engine bases ## build both images
	@sh scripts/build

.PHONY: tag
tag: engine bases ## build both images and tag them as latest and with the version
	@sh scripts/publish --tag

.PHONY: push
push: engine bases ## build, push, sign and grade both images, on Docker Hub (HUB_USER) or LAB_REGISTRY
	@sh scripts/publish

.PHONY: verify
verify: $(if $(IMAGE),,engine bases) ## verify the published IMAGE=<image>; without it, that this commit builds the same images twice
	@sh scripts/verify

.PHONY: login
login: ## log in to the registry as HUB_USER with HUB_TOKEN, in a workflow
	@sh scripts/login

.PHONY: release-check
release-check: ## compare the tag of a release, TAG or the one that GitHub Actions runs for, with the version
	@sh scripts/release-check

.PHONY: deploy
deploy: ## put both services on a Swarm, or update them there; run on a manager
	@sh scripts/deploy up

.PHONY: undeploy
undeploy: ## take them off the Swarm
	@sh scripts/deploy down

.PHONY: deploy-kubernetes
deploy-kubernetes: ## run the pushed images on the cluster of kubectl, with OVERLAY=own or cloud
	@sh scripts/deploy-kubernetes up

.PHONY: undeploy-kubernetes
undeploy-kubernetes: ## take them off the cluster of kubectl
	@sh scripts/deploy-kubernetes down

.PHONY: check
check: engine $(if $(TP),,bases) grader ## grade this repository, or another submission with TP=<folder>
	@# The subject fixes the ports: it is graded with them, whatever ports this machine uses.
	@BACKEND_PORT= FRONTEND_PORT= LAB_BIND= bin/grader "$(or $(TP),.)"

.PHONY: grader
grader: ## compile the grader, bin/grader
	@sh scripts/grader

.PHONY: dev
dev: ## run both services from source with live reload, without Docker
	@sh scripts/dev

.PHONY: test
test: lint engine bases ## run the linters and all tests
	@sh scripts/test

.PHONY: test-debian12 test-debian13
test-debian12 test-debian13: ## run make up and all tests on a fresh Debian, in a folder of this one
	@sh scripts/test-debian $(@:test-debian%=%)

.PHONY: test-podman
test-podman: engine bases ## run the Kubernetes manifests with podman kube play
	@sh scripts/test-podman

.PHONY: lint
lint: ## check types, style, workflows and shell scripts
	@sh scripts/lint

.PHONY: figures
figures: engine bases ## measure image sizes, memory, startup times and the cost of a health check
	@sh scripts/test --figures

.PHONY: chaos
chaos: engine bases ## run the fault and load tests at full size and update their table
	@sh scripts/test --chaos

.PHONY: bench
bench: ## compare both services with other servers and update the tables
	@sh scripts/bench

.PHONY: scale
scale: engine bases ## measure a Swarm of three nodes under load, while it is updated, broken and scaled
	@sh scripts/scale

.PHONY: engine
engine: ## look for Docker Engine and Compose; as root on Debian or Ubuntu, install and start a missing engine
	@sh scripts/engine

.PHONY: bases
bases: engine ## pull the base images, or build stand-ins if no registry can be reached
	@sh scripts/bases

.PHONY: clean
clean: ## remove the stack, its images, the stand-ins, the grader's image and all downloads
	@sh scripts/clean
