# launch-jail. `make` alone lists the targets.

PREFIX ?= /usr/local
DESTDIR ?=

.DEFAULT_GOAL := help
.PHONY: help deps build demo test check bench install uninstall clean

help: ## this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-10s %s\n", $$1, $$2 }'
	@echo "  variables: PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)"

deps: ## install what is missing (Debian; asks sudo when needed)
	@scripts/install-deps.sh

build: deps ## release binaries in .build/bin
	@scripts/build-release.sh

demo: build ## a realistic step in the jail: what was allowed, what was denied and why
	@scripts/demo.sh

test: deps ## every test, as this user and, from root, as an ordinary one
	@scripts/test.sh

check: deps ## format, layers, scripts, schemas, generated pages
	@scripts/check.sh

bench: build ## compare with bubblewrap; writes a table to standard output
	@scripts/bench.sh

install: ## copy to $(DESTDIR)$(PREFIX) what `make build` made
	@test -x .build/bin/launch-jail || { echo "run \`make build\` first" >&2; exit 1; }
	@scripts/install.sh .build/bin "$(PREFIX)" "$(DESTDIR)"

uninstall: ## remove it from $(DESTDIR)$(PREFIX)
	rm -f "$(DESTDIR)$(PREFIX)/bin/launch-jail"
	rm -rf "$(DESTDIR)$(PREFIX)/libexec/launch-jail" "$(DESTDIR)$(PREFIX)/share/launch-jail"

clean: ## remove everything that was built
	rm -rf .build .build-*
