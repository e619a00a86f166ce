# `make` lists the targets. They take the variables of docker-compose.yaml: make up FRONTEND_PORT=9000
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

.PHONY: up
up: engine bases ## build and start both services, wait until they are healthy, print their responses
	@scripts/up

.PHONY: down
down: ## stop and remove the containers and the network
	@scripts/engine --check && scripts/compose down

.PHONY: restart
restart: ## restart the containers
	@scripts/engine --check && scripts/compose restart

.PHONY: ps
ps: ## list the containers
	@scripts/engine --check && scripts/compose ps

.PHONY: logs
logs: ## follow the logs (Ctrl-C to stop)
	@scripts/engine --check && scripts/compose logs --follow

.PHONY: build
build: engine bases ## build both images
	@scripts/compose build

.PHONY: tag
tag: engine bases ## build both images and tag them as latest and with the version
	@scripts/publish --tag

.PHONY: push
push: engine bases ## build, tag and push both images to Docker Hub (HUB_USER) or another REGISTRY
	@scripts/publish

.PHONY: check
check: engine $(if $(TP),,bases) grader ## grade this repository, or another submission with TP=<folder>
	@bin/grader "$(or $(TP),.)"

.PHONY: grader
grader: ## compile the grader, bin/grader
	@scripts/grader

.PHONY: dev
dev: ## run both services from source with live reload, without Docker
	@scripts/dev

.PHONY: test
test: lint engine bases ## run the linters and all tests
	@scripts/test

.PHONY: lint
lint: ## check types, style and shell scripts
	@scripts/lint

.PHONY: figures
figures: engine bases ## measure image sizes, memory, startup times and the cost of a health check
	@scripts/test --figures

.PHONY: chaos
chaos: engine bases ## run the fault and load tests at full size and update their table
	@scripts/test --chaos

.PHONY: bench
bench: ## compare both services with other servers and update the tables
	@scripts/bench

.PHONY: engine
engine: ## install and start Docker Engine and Compose if they are missing
	@scripts/engine

.PHONY: bases
bases: engine ## pull the base images, or build stand-ins if no registry can be reached
	@scripts/bases

.PHONY: clean
clean: ## remove the stack, its images, the stand-ins and everything downloaded
	@scripts/clean
