# Bare `make` lists the targets. The variables are those of docker-compose.yaml: HUB_USER, FRONTEND_PORT, …
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

.PHONY: up
up: engine bases ## build and start the stack, show what both services answer
	@scripts/up

.PHONY: down
down: ## stop the stack and remove its containers and its network
	@scripts/engine --check && scripts/compose down

.PHONY: restart
restart: ## restart the containers as they are
	@scripts/engine --check && scripts/compose restart

.PHONY: ps
ps: ## list the containers
	@scripts/engine --check && scripts/compose ps

.PHONY: logs
logs: ## follow the logs (Ctrl-C ends it)
	@scripts/engine --check && scripts/compose logs --follow

.PHONY: build
build: engine bases ## build both images
	@scripts/compose build

.PHONY: tag
tag: engine bases ## tag both images as latest and as the version
	@scripts/publish --tag

.PHONY: push
push: engine bases ## build, tag and push both images to HUB_USER's account, or to another REGISTRY
	@scripts/publish

.PHONY: check
check: engine $(if $(TP),,bases) grader ## grade a submission of the lab: this one, or that of TP=<folder>
	@bin/grader "$(or $(TP),.)"

.PHONY: grader
grader: ## compile the grading bot to one executable, bin/grader
	@scripts/grader

.PHONY: dev
dev: ## run both services from their sources, with reload, without Docker
	@scripts/dev

.PHONY: test
test: lint engine bases ## check everything, on the real engine too
	@scripts/test

.PHONY: lint
lint: ## check types, style and scripts
	@scripts/lint

.PHONY: figures
figures: engine bases ## measure what the README tells: sizes, times, the cost of a probe
	@scripts/test --figures

.PHONY: chaos
chaos: engine bases ## crashes, stops, faults and load at full size; writes the README's table of faults
	@scripts/test --chaos

.PHONY: bench
bench: ## measure both services beside their peers; writes the README's tables
	@scripts/bench

.PHONY: engine
engine: ## see to it that a Docker engine and Compose are there
	@scripts/engine

.PHONY: bases
bases: engine ## see to it that the base images are there
	@scripts/bases

.PHONY: clean
clean: ## remove all that was made here: stack, images, stand-ins, downloads
	@scripts/clean
