# Everything runs in .venv; each target sets up what it needs.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check
# LOCKED=1: exactly what packaging/locks/ names, by its hashes, in place of the newest.

# The tests start hundreds of programs: without compiled modules each would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-fast test-darwin test-kernel torture check lint types imports bench bench-neighbours bench-team pictures sheet rendered package test-wheel test-lowest deb test-deb lock audit clean

# The program alone, for a demo; pip shows its progress. The tests and tools of .venv/.ready include it.
.venv/.run: pyproject.toml
	@echo "Setting up .venv with what the program needs; this is done once."
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --disable-pip-version-check --editable .
	@touch $@

.venv/.ready: pyproject.toml $(if $(LOCKED),packaging/locks/dev.txt)
	$(PYTHON) -m venv .venv
	$(PIP) $(if $(LOCKED),--require-hashes --only-binary :all: --requirement packaging/locks/dev.txt,--editable '.[dev]')
	$(if $(LOCKED),$(PIP) --no-deps --no-build-isolation --editable .)
	touch .venv/.run $@

demo: .venv/.run
	@$(BIN)/openbalance-hid demo $(ARGS)

# Two processes for each core, because many tests wait; each takes tests of the others when it has no more. JOBS=0: one after the
# other.
JOBS ?= $(shell $(PYTHON) -c 'import os; print(2 * os.cpu_count())')
SIDE_BY_SIDE = --numprocesses $(JOBS) --dist worksteal
test: .venv/.ready
	$(BIN)/pytest $(SIDE_BY_SIDE) $(ARGS)

# The pure packages and the tiles, in seconds: no device, network, process or real time.
FAST := tests/account tests/tiles tests/app tests/config
NOT_PURE := tests/app/test_a_day.py tests/config/test_file_watch.py tests/config/test_toml_limits.py
test-fast: .venv/.ready
	$(BIN)/pytest $(SIDE_BY_SIDE) -m "not statistical" $(addprefix --ignore ,$(NOT_PURE)) $(FAST) $(ARGS)

# Every Python takes macOS's way through the code, with stand-ins for what only macOS has (tests/as_darwin), and with temporary
# directories as long as the ones there: 48 bytes, and 12 for /private/tmp.
DARWIN_TMP := /tmp/folders/zz/zyxvpxvq6csfxvn_n0000000000000/T
test-darwin: .venv/.ready
	mkdir -p $(DARWIN_TMP) /tmp/private
	PYTHONPATH=$(CURDIR)/tests/as_darwin TMPDIR=$(DARWIN_TMP) PYTEST_DEBUG_TEMPROOT=/tmp/private $(BIN)/pytest $(SIDE_BY_SIDE) $(ARGS)

test-kernel: .venv/.ready
	$(BIN)/pytest --kernel tests/kernel $(ARGS)

torture: .venv/.ready
	$(BIN)/pytest $(SIDE_BY_SIDE) --torture $(ARGS)

check: lint types imports test

lint: .venv/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.ready
	$(BIN)/mypy

imports: .venv/.ready
	$(BIN)/lint-imports

bench-neighbours: .venv/.ready
	$(BIN)/python -m bench.neighbours $(ARGS)

bench-team: .venv/.ready
	$(BIN)/python -m bench.team_desks $(ARGS)

bench: .venv/.ready
	$(BIN)/python -m bench $(ARGS)

package: .venv/.ready
	rm -rf dist
	$(BIN)/python -m build --no-isolation

# The tests against the wheel in a fresh environment. Around them is the source distribution, without the package itself.
WHEEL_TEST := build/wheel-test
test-wheel: package
	rm -rf $(WHEEL_TEST) && mkdir -p $(WHEEL_TEST)
	tar -xzf dist/*.tar.gz -C $(WHEEL_TEST) --strip-components=1 && rm -r $(WHEEL_TEST)/openbalance_hid
	$(PYTHON) -m venv $(WHEEL_TEST)/.venv
	$(WHEEL_TEST)/$(BIN)/pip install --quiet --disable-pip-version-check "$$(echo dist/*.whl)[dev]"
	cd $(WHEEL_TEST) && $(BIN)/pytest $(SIDE_BY_SIDE) $(ARGS)

# With the oldest of each package that pyproject.toml allows, and that the tools of the tests allow. Edges of pictures may lie otherwise there: an older Pillow's.
LOWEST := build/lowest
test-lowest: .venv/.audit
	rm -rf $(LOWEST) && mkdir -p $(LOWEST)
	$(BIN)/uv pip compile --quiet --resolution lowest-direct --python-version 3.11 pyproject.toml --output-file $(LOWEST)/run.txt
	$(PYTHON) -m venv $(LOWEST)/.venv
	$(LOWEST)/$(BIN)/pip install --quiet --disable-pip-version-check --requirement $(LOWEST)/run.txt
	$(LOWEST)/$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	$(LOWEST)/$(BIN)/pytest $(SIDE_BY_SIDE) --deselect tests/render/test_golden.py $(ARGS)

# For the Python of this system (another: DEB_PYTHON=/usr/bin/python3.13); needs dpkg-dev.
deb: package
	$(BIN)/python packaging/deb/build.py

# In a fresh system that mmdebstrap makes; needs root, lintian and some minutes.
test-deb: deb
	$(BIN)/pytest --deb "$$(echo dist/*.deb)" tests/packaging/test_deb.py $(ARGS)

.venv/.audit: .venv/.ready
	$(PIP) --editable '.[audit]'
	touch $@

# One resolution for every Python and system that is supported; run.txt is what the program needs with its extras, dev.txt the tests as well.
EXTRAS := --extra metrics --extra mqtt --extra report
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --custom-compile-command 'make lock'
lock: .venv/.audit
	$(LOCK) --upgrade $(EXTRAS) pyproject.toml --output-file packaging/locks/run.txt
	$(LOCK) --upgrade --extra dev --constraint packaging/locks/run.txt pyproject.toml --output-file packaging/locks/dev.txt
	mkdir -p build
	$(BIN)/uv pip compile --quiet --universal --python-version 3.14 --format pylock.toml $(EXTRAS) \
		--constraint packaging/locks/run.txt pyproject.toml \
		--output-file build/pylock.toml
	$(BIN)/python tools/sources.py build/pylock.toml packaging/locks/sources.toml
	$(MAKE) rendered

audit: .venv/.audit
	$(BIN)/python tools/bandit_findings.py
	$(BIN)/pip-audit --strict --require-hashes --disable-pip --requirement packaging/locks/dev.txt

clean:
	rm -rf .venv build dist *.egg-info

# The README's, at a stated moment (5 February 2026, 14:40 UTC), so that everybody's are the same.
PICTURES_AT := 1770302400
PICTURE := SOURCE_DATE_EPOCH=$(PICTURES_AT) $(BIN)/openbalance-hid preview
PICTURES := .github/pictures

# Every tile in every situation and both themes, on one sheet: make sheet SIZE=72x72
SIZE ?= 72x72
sheet: .venv/.ready
	mkdir -p build
	$(BIN)/python -m tools.tile_gallery $(SIZE) build/sheet-$(SIZE).png

pictures: .venv/.ready
	$(PICTURE) --model neo --config $(PICTURES)/deck.toml --scenario normal --theme dark -o $(PICTURES)/deck-dark.png
	$(PICTURE) --model neo --config $(PICTURES)/deck.toml --scenario critical --theme light -o $(PICTURES)/deck-light.png
	$(PICTURE) --model mk2 --config $(PICTURES)/accounts.toml --scenario work=spike --scenario lab=low-balance -o $(PICTURES)/deck-accounts.png
	SOURCE_DATE_EPOCH=$(PICTURES_AT) $(BIN)/python -m tools.pictures $(PICTURES)

rendered: .venv/.ready
	$(BIN)/python -m tools.render
