# SPDX-License-Identifier: Apache-2.0
# `make demo` and `make test` install what they need: Python packages into .venv, and on Debian or Ubuntu the
# compilers and emulators that are missing (the apt-get command is printed before it runs).

VENV := .venv
BIN := $(VENV)/bin
JOBS ?= auto
PIP := $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off -q

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test test-fast test-cmsis lint accuracy conformance fuzz size size-baseline code-sizes golden wheel clean tools-demo tools-test bench bench-baseline bench-kernels bench-plan

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## Set up, compile the digits example for a Cortex-M4 and run it in QEMU.
	$(BIN)/python examples/digits/demo.py --out build/digits

test: $(VENV)/.test ## Set up and run everything: lint, types, all tests, size gate.
	$(BIN)/python scripts/run_tests.py --jobs $(JOBS)

test-fast: $(VENV)/.test ## Everything but the slow tests.
	$(BIN)/python scripts/run_tests.py --jobs $(JOBS) --fast

# CMSIS_NN_TARGET is the core that the library was built for.
test-cmsis: $(VENV)/.test ## Test with Arm's library: CMSIS_NN_LIB=libcmsis-nn.a CMSIS_NN_INCLUDE=Include [CMSIS_NN_TARGET=cortex-m4].
	@test -n "$(CMSIS_NN_LIB)" -a -n "$(CMSIS_NN_INCLUDE)" || { echo "make test-cmsis needs CMSIS_NN_LIB (the archive) and CMSIS_NN_INCLUDE (its headers)" >&2; exit 2; }
	CMSIS_NN_LIB="$(CMSIS_NN_LIB)" CMSIS_NN_INCLUDE="$(CMSIS_NN_INCLUDE)" CMSIS_NN_TARGET="$(CMSIS_NN_TARGET)" $(BIN)/python -m pytest tests/cmsis

bench-plan: $(VENV)/.test ## Place the hard instances of minimalloc, which lie in ../shared/minimalloc: some minutes.
	$(BIN)/python scripts/bench_plan.py

bench: $(VENV)/.test ## Models on cores against the committed baseline: BENCH='--models kws_int8 --targets cortex-m4' for some.
	$(BIN)/python scripts/bench.py $(BENCH)

bench-baseline: $(VENV)/.test ## Write the figures of `make bench` to the committed baseline. [BENCH=...]
	$(BIN)/python scripts/bench.py --update $(BENCH)

bench-kernels: $(VENV)/.test ## Instructions per MAC of each kernel and core, from the kernels' tests: BENCH='-k depthwise' for some.
	$(BIN)/python scripts/bench_kernels.py $(BENCH)

accuracy: $(VENV)/.test ## Calibrate models and measure them beside onnxruntime's quantizer: some minutes. [MODELS='gru digits']
	$(BIN)/python scripts/quantization_table.py $(MODELS)

lint: $(VENV)/.test ## ruff, mypy --strict and cppcheck.
	$(BIN)/python scripts/run_tests.py --only ruff mypy cppcheck

conformance: $(VENV)/.test ## Run ONNX's own backend tests; writes docs/operators.md. [CONFORMANCE='test_conv*' for some of them]
	$(BIN)/python scripts/conformance.py $(if $(CONFORMANCE),$(CONFORMANCE),--write --quiet)

fuzz: $(VENV)/.test ## Random graphs against onnxruntime: N=1000, SEED=0; HOSTILE=1 damages the files instead.
	$(BIN)/python scripts/fuzz.py $(or $(N),1000) --seed $(or $(SEED),0) $(if $(HOSTILE),--hostile)

size: $(VENV)/.test ## Compare the examples' flash and RAM with their budgets and the committed baseline.
	$(BIN)/python scripts/size_gate.py

size-baseline: $(VENV)/.test ## Write the examples' sizes to the committed baseline.
	$(BIN)/python scripts/size_gate.py --update

code-sizes: $(VENV)/.test ## Measure the code of the runtime's functions again, by which kernels are compared.
	$(BIN)/python scripts/code_sizes.py

golden: $(VENV)/.test ## Write tests/golden again from what is generated now; look at the difference.
	$(BIN)/python -m pytest tests/repository/test_golden.py --update-golden

wheel: $(VENV)/.test ## Build a wheel into dist/.
	rm -rf build/lib build/bdist.*
	$(BIN)/python -m build --wheel -o dist .

clean: ## Remove what was built, and .venv.
	rm -rf build dist $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis examples/firmware/build

tools-demo tools-test: tools-%:
	@scripts/install_tools.sh $*

$(BIN)/pip: | $(if $(filter demo,$(MAKECMDGOALS)),tools-demo,tools-test)
	@python=$$(scripts/find_python.sh) && echo "Creating $(VENV) with $$($$python --version)" && $$python -m venv --clear $(VENV)

# A change of the packages or of their versions installs again; the package itself is installed editable.
$(VENV)/.demo: pyproject.toml setup.py | tools-demo $(BIN)/pip
	@echo "Installing tinyc and the Python packages it needs into $(VENV)"
	$(PIP) -e .
	@touch $@

$(VENV)/.test: pyproject.toml setup.py | tools-test $(BIN)/pip
	@echo "Installing tinyc and the Python packages for its tests into $(VENV)"
	$(PIP) -e '.[test]'
	@touch $@ $(VENV)/.demo
