"""The page: try a picture, compare runs. No picture leaves the machine."""

import os
from collections.abc import Awaitable, Callable
from concurrent import futures
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from kfer.data import circumplex
from kfer.errors import UserError
from kfer.evaluation import report, results
from kfer.server.service import Service
from kfer.training import run_folder

_FILES = {"page.css": "text/css", "try.js": "text/javascript"}
_MOST_RUNS = 8
# Nothing from elsewhere is loaded, and no other site may frame the page.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src "
    "'self'; img-src 'self' blob: data:; style-src 'self' 'unsafe-inline'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def routes(service: Service, runs_dir: str = "") -> list[BaseRoute]:
    """The page's routes.

    Args:
      service: answers the pictures that are tried.
      runs_dir: a folder of run folders; '' for no page of runs.

    Raises:
      UserError: there is no such folder.
    """
    if runs_dir and not os.path.isdir(runs_dir):
        raise UserError(f"--runs_dir={runs_dir} is no folder; name one of run folders")
    pages = _Pages(service, runs_dir)
    found: list[BaseRoute] = [
        Route("/", lambda request: RedirectResponse("/ui/try")),
        Route("/ui/try", pages.try_it),
        *(Route(f"/ui/{name}", _file(name, kind)) for name, kind in _FILES.items()),
    ]
    if runs_dir:
        found += [
            Route("/ui/runs", pages.runs),
            Route("/ui/runs/compare", pages.compare),
        ]
    return found


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("kfer.server", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _file(name: str, kind: str) -> Callable[[Request], Awaitable[Response]]:
    environment = _environment()
    text = environment.loader.get_source(environment, name)[0]

    async def answer(request: Request) -> Response:
        del request
        return Response(text, media_type=kind, headers=_HEADERS)

    return answer


class _Pages:
    def __init__(self, service: Service, runs_dir: str):
        self._service, self._runs_dir = service, runs_dir
        self._environment = _environment()
        # One thread: matplotlib draws for one at a time.
        self._drawing = futures.ThreadPoolExecutor(1, "pages")
        self._links = [("/ui/try", "Try it")]
        if runs_dir:
            self._links.append(("/ui/runs", "Runs"))

    def _page(self, template: str, status: int = 200, **content: Any) -> Response:
        text = self._environment.get_template(template).render(
            links=self._links, **content
        )
        return HTMLResponse(text, status, _HEADERS)

    async def try_it(self, request: Request) -> Response:
        model = self._service.versions.current
        targets = model.targets if model else []
        dimensions = [name for row in targets for name in row["dimensions"] or ()]
        return self._page(
            "try.html",
            title="Try it",
            here=request.url.path,
            name=self._service.versions.name,
            version=model.version if model else 0,
            framing=self._service.options.framing,
            circumplex=circumplex.CIRCUMPLEX if "valence" in dimensions else {},
        )

    async def runs(self, request: Request) -> Response:
        rows = await self._service.in_thread(self._drawing, listed, self._runs_dir)
        return self._page("runs.html", title="Runs", here=request.url.path, rows=rows)

    async def compare(self, request: Request) -> Response:
        chosen = request.query_params.getlist("run")[:_MOST_RUNS]
        try:
            text = await self._service.in_thread(
                self._drawing, compared, self._runs_dir, chosen
            )
        except UserError as error:
            return self._page(
                "message.html", 400, title="Runs", here="/ui/runs", text=str(error)
            )
        return HTMLResponse(text, headers=_HEADERS)


def names(runs_dir: str) -> list[str]:
    """The run folders that lie in a folder, sorted."""
    with os.scandir(runs_dir) as entries:
        return sorted(
            entry.name
            for entry in entries
            if os.path.isfile(os.path.join(entry.path, run_folder.CONFIG))
        )


def listed(runs_dir: str) -> list[dict[str, Any]]:
    """A row a run: 'name' and 'error', or what it is and its last scores."""
    rows: list[dict[str, Any]] = []
    for name in names(runs_dir):
        try:
            rows.append({"name": name, **_row(os.path.join(runs_dir, name))})
        except UserError as error:
            rows.append({"name": name, "error": str(error)})
    return rows


def _row(folder: str) -> dict[str, Any]:
    run = results.load_run(folder)
    last = run.result("last") or {"step": 0, "test": {}}
    scores = [
        f"{target} {measure} {row[measure]:.3f}"
        for target, row in last["test"].items()
        for measure in ("accuracy", "ccc")
        if measure in row
    ]
    return {
        "experiment": run.config.name,
        "method": run.config.method,
        "recipe": run.config.recipe.name,
        "step": last["step"],
        "scores": ", ".join(scores),
    }


def compared(runs_dir: str, chosen: list[str]) -> str:
    """The report of the first run beside the others, as HTML.

    A name from a browser is never a path: it must be one of `names`.

    Raises:
      UserError: none is chosen, or one isn't there or is damaged.
    """
    there = names(runs_dir)
    if missing := [name for name in chosen if name not in there]:
        raise UserError(f"There is no run {missing[0]!r} in the folder of runs")
    if not chosen:
        raise UserError("Choose a run to show, or several to compare")
    first, *others = (os.path.join(runs_dir, name) for name in dict.fromkeys(chosen))
    return report.render(first, others)
