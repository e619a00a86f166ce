# Bare `make` lists the targets. The variables are those of docker-compose.yaml: HUB_USER, FRONTEND_PORT, …
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

.PHONY: up
up: engine bases ## build and start the stack, show what both services answer
	@setup/up

.PHONY: down
down: ## stop the stack and remove its containers and its network
	@setup/engine --check && setup/compose down

.PHONY: restart
restart: ## restart the containers as they are
	@setup/engine --check && setup/compose restart

.PHONY: ps
ps: ## list the containers
	@setup/engine --check && setup/compose ps

.PHONY: logs
logs: ## follow the logs (Ctrl-C ends it)
	@setup/engine --check && setup/compose logs --follow

.PHONY: build
build: engine bases ## build both images
	@setup/compose build

.PHONY: tag
tag: engine bases ## tag both images as latest and as the version
	@setup/publish --tag

.PHONY: push
push: engine bases ## build, tag and push both images to HUB_USER's account, or to another REGISTRY
	@setup/publish

.PHONY: check
check: engine $(if $(TP),,bases) correction ## grade a submission of the lab: this one, or that of TP=<folder>
	@bin/correction "$(or $(TP),.)"

.PHONY: correction
correction: ## compile the grading bot to one executable, bin/correction
	@setup/correction

.PHONY: dev
dev: ## run both services from their sources, with reload, without Docker
	@setup/dev

.PHONY: test
test: lint engine bases ## check everything, on the real engine too
	@setup/test

.PHONY: lint
lint: ## check types, style and scripts
	@setup/lint

.PHONY: figures
figures: engine bases ## measure what the README tells: sizes, times, the cost of a probe
	@setup/test --figures

.PHONY: chaos
chaos: engine bases ## crashes, stops, faults and load at full size; writes the README's table of faults
	@setup/test --chaos

.PHONY: bench
bench: ## measure both services beside their peers; writes the README's tables
	@setup/bench

.PHONY: engine
engine: ## see to it that a Docker engine and Compose are there
	@setup/engine

.PHONY: bases
bases: engine ## see to it that the base images are there
	@setup/bases

.PHONY: clean
clean: ## remove all that was made here: stack, images, stand-ins, downloads
	@setup/clean
