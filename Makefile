# SPDX-License-Identifier: GPL-2.0-or-later
#
# The front door: every target calls configure, Meson or a script of tools/,
# and each of them does nothing when nothing has changed.

# make check T=PATTERN: the cases to run
T ?=
# make bench: QUICK=1, everything once, whose figures are none
QUICK ?=
# make bench-compare: two files that it wrote
A ?=
B ?=
# make walk-oracle: how many tables, and which
CASES ?= 1000000
SEED ?= 1
build = $(or $(SVA_BUILD_DIR),$(shell cat .build-dir 2>/dev/null || echo build))
python = /usr/bin/python3

.PHONY: all demo demo-vm check check-unit check-qtest check-baremetal check-tsan walk-oracle check-guest check-audit \
        check-x86 check-warnings check-house soak bench bench-compare conformance fault-picture \
        docs install clean distclean help

all: configured
	@tools/build all

.PHONY: configured
configured:
	@[ -f "$(build)/config.env" ] || ./configure

demo: configured
	@tools/build demo
	@tools/demo

demo-vm: configured
	@tools/build demo
	@tools/vmm-disk
	@tools/demo --vm

check: all
	@tools/run-tests '$(T)'

check-unit: configured
	@tools/build unit
	@tools/run-tests --suite unit --suite unit-sanitized '$(T)'

check-qtest: configured
	@tools/build qemu
	@tools/run-tests --suite qtest '$(T)'

check-baremetal: configured
	@tools/build qemu
	@tools/run-tests --suite baremetal '$(T)'

walk-oracle: configured
	@tools/build qemu
	@tests/baremetal/run walk-oracle,e2h-oracle,nested-oracle --timeout 1000000 \
	    --cases $$((($(CASES) + 2) / 3)) --seed '$(SEED)'

check-tsan: configured
	@tools/check-tsan '$(T)'

check-guest: all
	@tools/run-tests --suite guest '$(T)'

# Every scenario with the SMMU's auditor on, on every kernel that was built
check-audit: all
	@status=0; for kernel in '$(build)'/guest/*/Image; do \
	    echo "# $$kernel"; \
	    tests/guest/run --audit --kernel "$$kernel" --logs '$(build)/logs/audit' || status=1; \
	done; exit $$status

check-x86: configured
	@grep -q 'SVA_X86:=yes' "$(build)/config.env" || \
	    { echo 'error: there is no QEMU for x86: ./configure --with-x86' >&2; exit 1; }
	@tools/build all
	@tools/run-tests --suite x86 '$(T)'

check-warnings: configured
	@tools/build qemu
	@$(python) tools/warnings --build '$(build)'

check-house:
	@tools/check-house --objects '$(build)/sva' \
	    --objects '$(build)/qemu/libqemu-aarch64-softmmu.a.p' \
	    --objects '$(build)/qemu/tests/qtest/sva'

# Millions of random steps, without a thread and with one; see the test's head
soak_model = QTEST_QEMU_BINARY='$(build)/qemu/qemu-system-aarch64' \
    SVA_MODEL_SEED="$${SVA_MODEL_SEED:-$$(date +%s)}" \
    SVA_MODEL_STEPS="$${SVA_MODEL_STEPS:-2000000}" \
    '$(build)/qemu/tests/qtest/sva/pasid-dev-model-test'
soak: configured
	@tools/build qemu
	@unset SVA_QTEST_THREAD; $(soak_model)
	@SVA_QTEST_THREAD=yes; export SVA_QTEST_THREAD; $(soak_model)

# Quick: everything runs once; where it writes, no figures of a real run are
bench: all
	@$(python) tests/bench/run --build '$(build)/sva' \
	    --qemu '$(build)/qemu/qemu-system-aarch64' \
	    --output '$(build)/bench$(if $(QUICK),-quick)' $(if $(QUICK),--quick)

bench-compare:
	@[ -n '$(A)' ] && [ -n '$(B)' ] || \
	    { echo 'usage: make bench-compare A=bench.json B=bench.json' >&2; exit 2; }
	@$(python) tests/bench/compare '$(A)' '$(B)'

conformance: configured
	@tools/build qemu
	@$(python) tools/conformance --build '$(build)/sva' \
	    --qtests '$(build)/qemu/tests/qtest/sva' \
	    --qemu '$(build)/qemu/qemu-system-aarch64' --output docs/conformance.rst

# The pictures and figures of docs/life-of-a-fault.rst, of runs made now
fault-picture: configured
	@tools/build qemu
	@tools/build demo
	@tools/fault-picture

docs: configured
	@tools/packages --docs
	@$(python) tools/docs --build '$(build)/sva' \
	    --qemu '$(build)/qemu/qemu-system-aarch64' --output '$(build)/docs'

install:
	@tools/install

clean:
	@tools/clean

distclean:
	@tools/clean --all

help:
	@echo 'Targets:'
	@echo '  demo         build everything, boot a guest, share a process with pasid-dev'
	@echo '  demo-vm      the same from a virtual machine in the guest: two stages'
	@echo '  check        build everything, run every test'
	@echo '  check-unit   the tests of the core alone, also under sanitizers'
	@echo '  check-qtest  the tests of the devices, without guest software'
	@echo '  check-baremetal  guests of ours without an operating system'
	@echo '  check-tsan   what has threads, under the thread sanitizer; builds QEMU once more'
	@echo '  walk-oracle  CASES=N random tables of seed SEED=N, of the CPU and of the SMMU'
	@echo '  check-guest  the tests in Linux guests'
	@echo '  check-audit  the same with the SMMU reporting what Linux forgets to invalidate'
	@echo '  check-x86    what is on x86, if configured --with-x86'
	@echo '               with T=PATTERN: only the cases whose path or program matches'
	@echo '  check-warnings  our files with gcc and clang at -Wall -Wextra'
	@echo '  check-house  rings of includes and calls among our files, and long files'
	@echo '  soak         millions of random steps of pasid-dev against a model'
	@echo '               (SVA_MODEL_SEED=N SVA_MODEL_STEPS=N)'
	@echo '  bench        benchmarks, and which figures are as wanted (QUICK=1: that they run)'
	@echo '  bench-compare  two runs of them: A=bench.json B=bench.json'
	@echo '  conformance  which statement of the architecture which test shows'
	@echo '  fault-picture  the pictures and figures of docs/life-of-a-fault.rst, anew'
	@echo '  docs         the documentation, as HTML'
	@echo '  install      what is built: qemu-system-aarch64 and the documentation, in --prefix'
	@echo '               (DESTDIR honoured)'
	@echo '  clean        remove what was built; downloads and ccache stay'
	@echo '  distclean    remove the build directory with its options; the cache stays'
	@echo 'Options: ./configure --help'
