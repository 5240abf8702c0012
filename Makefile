# `make help` lists the targets.

GOLANGCI_LINT = go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.5.0
GRPCURL       = github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4
FUZZTIME     ?= 20s
BENCHFLAGS   ?=

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/dyngate
	go build -trimpath -o bin/dyngate ./cmd/dyngate

.PHONY: test
test: ## run all tests
	go test ./...

.PHONY: check
check: lint ## format, vet, lint, and all tests under the race detector
	go test -race ./...

.PHONY: lint
lint: ## format, vet, lint
	go mod verify
	go mod tidy -diff
	go vet ./...
	$(GOLANGCI_LINT) run ./...

.PHONY: fmt
fmt: ## format the source
	$(GOLANGCI_LINT) fmt ./...

.PHONY: bench
bench: ## calls per second and CPU per call, against generated code (about 10 minutes)
	go run ./tests/bench $(BENCHFLAGS)

.PHONY: fuzz
fuzz: ## run each fuzz target for FUZZTIME
	./tests/fuzz.sh $(FUZZTIME)

.PHONY: conformance
conformance: ## the tests that need real clients; fails where one is missing
	DYNGATE_REQUIRE_CLIENTS=1 go test -count=1 ./tests/...

.PHONY: googleapis
googleapis: ## compile and serve all of googleapis; DYNGATE_GOOGLEAPIS names a checkout
	go test -count=1 -v -timeout 20m -run Googleapis ./internal/schema ./tests

.PHONY: clients
clients: ## install the clients that the tests call, where they can be had
	go install $(GRPCURL)
