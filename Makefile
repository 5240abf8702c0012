# `make help` lists the targets.

GOLANGCI_LINT = go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.5.0
CLIENTS       = $(CURDIR)/bin/clients
SERVERS       = $(CURDIR)/bin/servers
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
	for module in tests/bench/peers tests/openapi; do \
		(cd $$module && go mod tidy -diff && go vet ./... && $(GOLANGCI_LINT) run ./...) || exit 1; \
	done

.PHONY: vet-others
vet-others: ## vet for the systems that nothing is run on
	for system in darwin/arm64 windows/amd64 linux/arm64 linux/386; do \
		echo "go vet for $$system"; GOOS=$${system%/*} GOARCH=$${system#*/} go vet ./... || exit 1; \
	done

.PHONY: fmt
fmt: ## format the source
	$(GOLANGCI_LINT) fmt ./...

.PHONY: bench
bench: ## calls per second and CPU per call, against generated code and other HTTP servers (about 12 minutes)
	go run ./tests/bench $(BENCHFLAGS)

.PHONY: fuzz
fuzz: ## run each fuzz target for FUZZTIME (20s, or 5000x for so many inputs)
	./tests/fuzz.sh $(FUZZTIME)

.PHONY: conformance
conformance: clients web-clients servers ## the tests that need real clients and servers, under the race detector; fails where one is missing
	DYNGATE_REQUIRE_CLIENTS=1 GRPCURL=$(CLIENTS)/grpcurl DYNGATE_INTEROP_CLIENT=$(CLIENTS)/client DYNGATE_SERVERS=$(SERVERS) \
		DYNGATE_CONNECTCONFORMANCE=$(CLIENTS)/connectconformance \
		go test -race -count=1 ./...

.PHONY: googleapis
googleapis: ## compile and serve all of googleapis; DYNGATE_GOOGLEAPIS names a checkout
	go test -count=1 -v -timeout 20m -run Googleapis ./internal/schema ./internal/openapi ./tests/scale
	cd tests/openapi && go test -count=1 -v -timeout 20m -run Googleapis ./...

.PHONY: openapi
openapi: ## validate OpenAPI documents with a validator that others wrote
	cd tests/openapi && go test -count=1 ./...

.PHONY: clients
clients: ## install grpcurl, grpc-go's interop client and connectrpc's conformance suite (Python's come from Debian: python3-grpcio, python3-grpc-tools)
	GOBIN=$(CLIENTS) go install github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4
	GOBIN=$(CLIENTS) go install google.golang.org/grpc/interop/client@v1.85.0
	GOBIN=$(CLIENTS) go install connectrpc.com/conformance/cmd/connectconformance@v1.0.6

.PHONY: web-clients
web-clients: ## install npm's clients of Connect, gRPC-Web and gRPC, and buf (Chromium comes from Debian: chromium)
	cd tests/webclients/testdata/node && npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error

.PHONY: servers
servers: ## install grpc-go's interop server and reflection example, and etcd (Python's come from Debian, as its clients do)
	GOBIN=$(SERVERS)/interop go install google.golang.org/grpc/interop/server@v1.85.0
	$(call build-server,reflection,google.golang.org/grpc/examples/features/reflection/server,v0.0.0-20260825154716-030ee8becb20 google.golang.org/grpc@v1.85.0)
	$(call build-server,etcd,go.etcd.io/etcd/server/v3,v3.6.4)

# Modules with replace directives cannot be installed, but another module can
# require them. The third argument is the version, and what else is wanted.
define build-server
	rm -rf $(SERVERS)/$(1) && mkdir -p $(SERVERS)/$(1)
	cd $(SERVERS)/$(1) && go mod init servers/$(1) && go get $(2)@$(3) && go build -o server $(2)
endef
