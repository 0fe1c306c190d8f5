"""The page: try a picture, compare runs, review labels, all on this machine."""

import os
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from kfer.audit.review import Review
from kfer.data import circumplex
from kfer.data.browse import Browser
from kfer.errors import UserError
from kfer.evaluation import report, results, verdict
from kfer.faces import framing
from kfer.server import data_pages, review_pages
from kfer.server.service import Service
from kfer.server.shell import HEADERS, Shell
from kfer.server.versions import Versions
from kfer.training import run_folder

_FILES = {
    "page.css": "text/css",
    "try.js": "text/javascript",
    "review.js": "text/javascript",
}
_MOST_RUNS = 8


def routes(
    service: Service,
    runs_dir: str = "",
    browser: Browser | None = None,
    review: Review | None = None,
) -> list[BaseRoute]:
    """The page's routes.

    Args:
      service: answers the pictures that are tried.
      runs_dir: a folder of run folders; '' for no page of runs.
      browser: of a data set to look at; None for no page of it.
      review: suspicious labels to decide about; None for no page of them.

    Raises:
      UserError: there is no such folder.
    """
    if runs_dir and not os.path.isdir(runs_dir):
        raise UserError(f"--runs_dir={runs_dir} is no folder; name one of run folders")
    links = [("/ui/try", "Try it")]
    links += [("/ui/runs", "Runs")] if runs_dir else []
    links += [(data_pages.PATH, "Data")] if browser else []
    links += [(review_pages.PATH, "Review")] if review else []
    shell = Shell(links)
    pages = _Pages(service, shell, runs_dir)
    found: list[BaseRoute] = [
        Route("/", lambda request: RedirectResponse("/ui/try")),
        Route("/ui/try", pages.try_it),
    ]
    for name, kind in _FILES.items():
        found.append(Route(f"/ui/{name}", _file(shell.source(name), kind)))
    if runs_dir:
        found.append(Route("/ui/runs", pages.runs))
        found.append(Route("/ui/runs/compare", pages.compare))
    if browser:
        found += data_pages.DataPages(browser, shell).routes()
    if review:
        found += review_pages.ReviewPages(review, shell).routes()
    return [*found, Route("/ui/{rest:path}", pages.missing)]


def _file(text: str, kind: str) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        del request
        return Response(text, media_type=kind, headers=HEADERS)

    return answer


class _Pages:
    def __init__(self, service: Service, shell: Shell, runs_dir: str):
        self._service, self._shell, self._runs_dir = service, shell, runs_dir

    async def try_it(self, request: Request) -> Response:
        model = self._service.versions.current
        targets = model.targets if model else []
        dimensions = [name for row in targets for name in row["dimensions"] or ()]
        options = self._service.options
        asked = (options.framing, options.detector)
        return self._shell.page(
            "try.html",
            title="Try it",
            here=request.url.path,
            name=self._service.versions.name,
            version=model.version if model else 0,
            framing=model.framing(*asked)[0] if model else framing.NONE,
            circumplex=circumplex.CIRCUMPLEX if "valence" in dimensions else {},
        )

    async def missing(self, request: Request) -> Response:
        text = f"There is no page {request.url.path}"
        return self._shell.page(
            "message.html", 404, title="Not here", here="/ui/try", text=text
        )

    async def runs(self, request: Request) -> Response:
        rows = await self._shell.in_thread(
            listed, self._runs_dir, self._service.versions
        )
        here = request.url.path
        return self._shell.page("runs.html", title="Runs", here=here, rows=rows)

    async def compare(self, request: Request) -> Response:
        chosen = request.query_params.getlist("run")[:_MOST_RUNS]
        try:
            text = await self._shell.in_thread(
                compared, self._runs_dir, chosen, self._service.versions
            )
        except UserError as error:
            return self._shell.page(
                "message.html", 400, title="Runs", here="/ui/runs", text=str(error)
            )
        return HTMLResponse(text, headers=HEADERS)


def names(runs_dir: str) -> list[str]:
    """The run folders that lie in a folder, sorted."""
    with os.scandir(runs_dir) as entries:
        return sorted(
            entry.name
            for entry in entries
            if os.path.isfile(os.path.join(entry.path, run_folder.CONFIG))
        )


def listed(runs_dir: str, versions: Versions | None = None) -> list[dict[str, Any]]:
    """A row a run: 'name' and 'error', or what it is, its last scores and verdict.

    Args:
      runs_dir: the folder of runs.
      versions: that are served, of which some may be models of these runs.
    """
    rows: list[dict[str, Any]] = []
    for name in names(runs_dir):
        try:
            folder = os.path.join(runs_dir, name)
            rows.append({"name": name, **_row(folder, versions)})
        except UserError as error:
            rows.append({"name": name, "error": str(error)})
    return rows


def _row(folder: str, versions: Versions | None) -> dict[str, Any]:
    run = results.load_run(folder)
    last = run.result("last") or {"step": 0, "test": {}}
    scores = [
        f"{target} {measure} {row[measure]:.3f}"
        for target, row in last["test"].items()
        for measure in ("accuracy", "ccc")
        if measure in row
    ]
    judged = run.evaluation
    return {
        "verdict": verdict.line(judged),
        "is_blessed": not judged.get("objections"),
        "published": versions.holding(judged) if versions else "",
        "experiment": run.config.name,
        "method": run.config.method,
        "recipe": run.config.recipe.name,
        "step": last["step"],
        "scores": ", ".join(scores),
    }


def compared(runs_dir: str, chosen: list[str], versions: Versions | None = None) -> str:
    """The report of the first run beside the others, as HTML.

    A name from a browser is never a path: it must be one of `names`.

    Args:
      runs_dir: the folder of runs.
      chosen: names of runs in it.
      versions: that are served, of which one may be the first run's model.

    Raises:
      UserError: none is chosen, or one isn't there or is damaged.
    """
    there = names(runs_dir)
    if missing := [name for name in chosen if name not in there]:
        raise UserError(f"There is no run {missing[0]!r} in the folder of runs")
    if not chosen:
        raise UserError("Choose a run to show, or several to compare")
    first, *others = (os.path.join(runs_dir, name) for name in dict.fromkeys(chosen))
    published = versions.holding(verdict.read(first)) if versions else ""
    return report.render(first, others, back="/ui/runs", published=published)
