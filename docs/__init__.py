"""The pages that are printed from the code, one module a page. `make docs` writes them, `make check` compares."""
