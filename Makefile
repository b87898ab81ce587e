# Everything runs in .venv; each target sets up what it needs.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test torture check lint types imports bench bench-neighbours pictures rendered clean

.venv/.ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

demo: .venv/.ready
	$(BIN)/openbalance-hid demo $(ARGS)

test: .venv/.ready
	$(BIN)/pytest $(ARGS)

torture: .venv/.ready
	$(BIN)/pytest --torture $(ARGS)

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

bench: .venv/.ready
	$(BIN)/python -m bench

clean:
	rm -rf .venv build dist *.egg-info

# The README's, at a stated moment (5 February 2026, 14:40 UTC), so that everybody's are the same.
PICTURE := SOURCE_DATE_EPOCH=1770302400 $(BIN)/openbalance-hid preview
PICTURES := .github/pictures

pictures: .venv/.ready
	$(PICTURE) --model neo --config $(PICTURES)/deck.toml --scenario normal --theme dark -o $(PICTURES)/deck-dark.png
	$(PICTURE) --model neo --config $(PICTURES)/deck.toml --scenario critical --theme light -o $(PICTURES)/deck-light.png
	$(PICTURE) --model mk2 --config $(PICTURES)/accounts.toml --scenario work=spike --scenario lab=low-balance -o $(PICTURES)/deck-accounts.png

rendered: .venv/.ready
	$(BIN)/python packaging/render.py
