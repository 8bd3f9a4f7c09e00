"""Cleaning of executed notebooks, so that equal runs give equal files.

Execution counts in order, outputs kept, nothing that depends on the machine.
"""

from pathlib import Path

import nbformat

from varbook.files import write_atomically
from varbook.paths import repository
from varbook.runner.fit import fit_pictures

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
# The tag of a cell whose code is bookkeeping: a reader sees what it shows, and unfolds the rest.
FOLDED = "hide-input"
# A widget's view is worth nothing without its state, and the state is megabytes.
_LIVE = "application/vnd.jupyter.widget-view+json"


def _clean_text(text: str) -> str:
    return text.replace(str(repository()), ".").replace(str(Path.home()), "~")


def _clean_output(output: nbformat.NotebookNode) -> nbformat.NotebookNode | None:
    if output.output_type == "stream":
        if output.name == "stderr":
            return None  # warnings of libraries, progress: noise to a reader
        output.text = _clean_text(output.text)
        return output
    if output.output_type in ("display_data", "execute_result"):
        data = {mime: content for mime, content in output.data.items() if mime != _LIVE}
        if not data or _LIVE in output.data:
            return None
        output.data = {
            mime: _clean_text(content) if isinstance(content, str) else content
            for mime, content in sorted(data.items())
        }
        output.metadata = {}
    return output


def _join_streams(outputs: list) -> list:
    # The kernel cuts printed text at whim; joined, equal runs give equal files.
    joined: list = []
    for output in outputs:
        if (
            joined
            and output.output_type == "stream" == joined[-1].output_type
            and output.name == joined[-1].name
        ):
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def normalise(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return an executed notebook as it is committed.

    Without injected cells, volatile metadata, widget state and stderr; counts run from 1 to n.
    """
    cells = [
        cell
        for cell in notebook.cells
        if "injected-parameters" not in cell.metadata.get("tags", [])
    ]
    count = 0
    for cell in cells:
        tags = [tag for tag in cell.metadata.get("tags", []) if not tag.startswith("papermill")]
        cell.metadata = {"tags": tags} if tags else {}
        if FOLDED in tags:  # the book's page reads the tag, JupyterLab its own field
            cell.metadata["jupyter"] = {"source_hidden": True}
        if cell.cell_type != "code":
            continue
        cell.outputs = _join_streams(
            [clean for clean in map(_clean_output, cell.outputs) if clean is not None]
        )
        ran = bool(cell.source.strip())
        count += ran
        cell.execution_count = count if ran else None
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
    notebook.cells = cells
    notebook.metadata = {"kernelspec": dict(KERNEL), "language_info": {"name": "python"}}
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def normalise_file(source: Path, target: Path) -> None:
    """Read an executed notebook, clean it, make it small enough to keep, and write it to `target`
    (only where that changes it).
    """
    notebook = normalise(nbformat.read(source, as_version=4))
    fit_pictures(notebook)
    nbformat.validate(notebook)
    text = nbformat.writes(notebook) + "\n"
    if not target.is_file() or target.read_text(encoding="utf-8") != text:
        write_atomically(target, text)
