"""The ballot of a preference study: widgets around a `Session`, which does all the work."""

import html
import io

import ipywidgets
from PIL import Image
from torch import Tensor

from varbook.book.preference.study import QUESTIONS, Session, Study, order
from varbook.book.show.display import in_notebook, show_figure
from varbook.book.show.sheets import sheet
from varbook.device import is_batch
from varbook.errors import VarbookError

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SIDE = 220  # pixels of a picture on the screen


def png(image: Tensor, side: int = SIDE) -> bytes:
    """Return a uint8 image (3, H, W) as PNG, enlarged by a whole factor to about `side` pixels: no
    pixel is blurred.
    """
    picture = Image.fromarray(image.permute(1, 2, 0).contiguous().numpy())
    factor = max(1, side // max(picture.size))
    data = io.BytesIO()
    picture.resize(
        (picture.width * factor, picture.height * factor), Image.Resampling.NEAREST
    ).save(data, "PNG")
    return data.getvalue()


class Ballot:
    """A source, the shuffled results under letters, three questions, and buttons; `box` is the
    widget to display. `target` says what the pictures should become ("zebra").
    """

    def __init__(self, session: Session, target: str = ""):
        self.session, self.count = session, len(session.study.methods)
        self.target = f"<b>Target: {html.escape(target)}.</b> " if target else ""
        self.status = ipywidgets.HTML()
        self.source = ipywidgets.Image(format="png")
        self.results = [ipywidgets.Image(format="png") for _ in range(self.count)]
        self.choices = {
            question: [self._choice(question, place) for place in range(self.count)]
            for question in QUESTIONS
        }
        self.back = ipywidgets.Button(description="back")
        self.forward = ipywidgets.Button(description="next")
        self.back.on_click(lambda _: self._go(session.back))
        self.forward.on_click(lambda _: self._go(session.forward))
        self.paper = ipywidgets.VBox([self._pictures(), *self._questions()])
        self.box = ipywidgets.VBox(
            [self.status, self.paper, ipywidgets.HBox([self.back, self.forward])]
        )
        self.refresh()

    def _pictures(self) -> ipywidgets.HBox:
        named = zip(("source", *LETTERS), (self.source, *self.results), strict=False)
        return ipywidgets.HBox(
            [ipywidgets.VBox([ipywidgets.Label(name), image]) for name, image in named]
        )

    def _questions(self) -> list[ipywidgets.HBox]:
        wide = ipywidgets.Layout(width="320px")
        return [
            ipywidgets.HBox([ipywidgets.Label(text, layout=wide), *self.choices[one]])
            for one, text in QUESTIONS.items()
        ]

    def _choice(self, question: str, place: int) -> ipywidgets.Button:
        button = ipywidgets.Button(
            description=LETTERS[place], layout=ipywidgets.Layout(width="60px")
        )
        button.on_click(lambda _: self._go(lambda: self.session.answer(question, place)))
        return button

    def _go(self, step) -> None:
        try:
            step()
        except VarbookError as error:  # a vote that the disk did not take
            self.status.value = html.escape(str(error))
        else:
            self.refresh()

    def refresh(self) -> None:
        """Show what the session says: the pictures, the answers so far, and how many are left."""
        session = self.session
        self.paper.layout.display = "none" if session.done else ""
        self.back.disabled = session.at == 0
        self.forward.disabled = session.done or not session.complete(session.at)
        if session.done:
            self.status.value = f"Thank you, {session.voter}: all {len(session.tasks)} pictures are answered and kept."
            return
        where = f"picture {session.at + 1} of {len(session.tasks)}"
        self.status.value = f"{self.target}{where}; every click is kept at once"
        picture, shown = session.tasks[session.at]
        self.source.value = png(session.study.source(picture))
        for image, method in zip(self.results, shown, strict=True):
            image.value = png(session.study.result(method, picture))
        answers = session.answers()
        for question, buttons in self.choices.items():
            for place, button in enumerate(buttons):
                button.button_style = "success" if answers.get(question) == place else ""


def strip(study: Study, voter: str, count: int = 4) -> Image.Image:
    """Return what a voter sees first as one picture: a row per source, the results under letters."""
    rows = {}
    for number, (picture, shown) in enumerate(order(study, voter)[:count], start=1):
        rows[f"{number}"] = [
            study.source(picture),
            *(study.result(method, picture) for method in shown),
        ]
    return sheet(rows, titles=["source", *LETTERS[: len(study.methods)]], inline=True)


def vote(session: Session, target: str = "") -> Ballot | None:
    """Show the ballot in a live notebook, else (in batch, on paper) the first pictures
    as a strip. `target` says what the pictures should become ("zebra").
    """
    if is_batch() or not in_notebook():
        alt = "rows of a source and its anonymous translations A, B, C"
        show_figure(strip(session.study, session.voter), f"{alt}{target and f', to {target}'}")
        return None
    from IPython.display import display

    paper = Ballot(session, target)
    display(paper.box)
    return paper
