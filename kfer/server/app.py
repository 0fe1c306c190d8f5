"""The calls of a server."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from kfer.server import metrics
from kfer.server.admission import upload
from kfer.server.refusal import Refused, response
from kfer.server.service import Service

Call = Callable[[Request], Awaitable[Response]]


def make(
    service: Service,
    hosts: Sequence[str],
    pages: Sequence[BaseRoute] = (),
    beside: Sequence[contextlib.AbstractAsyncContextManager[None]] = (),
) -> Starlette:
    """The ASGI application.

    Args:
      service: what answers.
      hosts: names under which it may be asked; '*' for any. A web page elsewhere that
        points a name of its own at this machine is refused.
      pages: routes beside the calls.
      beside: what else answers as long as it does, see kfer.server.grpc_calls.
    """
    calls = _Calls(service)
    model = "/v1/models/{name}"
    version = model + "/versions/{version:int}"
    routes = [
        Route("/healthz", calls.health),
        Route("/metrics", calls.metrics),
        Route("/faces", calls.timed("faces", calls.faces), methods=["POST"]),
        *(
            Route(
                base + ":predict",
                calls.timed("predict", calls.predict),
                methods=["POST"],
            )
            for base in (version, model)
        ),
        *(Route(base + "/metadata", calls.metadata) for base in (version, model)),
        *(Route(base, calls.status) for base in (version, model)),
        *pages,
    ]
    return Starlette(
        routes=routes,
        lifespan=_lifespan(service, beside),
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))],
        exception_handlers={
            Refused: lambda request, error: response(error),
            HTTPException: _not_found,
            Exception: _broken,
        },
    )


def _lifespan(
    service: Service,
    beside: Sequence[contextlib.AbstractAsyncContextManager[None]],
) -> Callable[[Starlette], Any]:
    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        del app
        running = asyncio.create_task(service.run())
        async with contextlib.AsyncExitStack() as stack:
            for other in beside:
                await stack.enter_async_context(other)
            yield
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        service.close()

    return lifespan


async def _not_found(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    path = f"{request.method} {request.url.path}"
    return response(Refused(status, f"Malformed request: {path}"))


async def _broken(request: Request, error: Exception) -> Response:
    del request
    return response(Refused(500, f"A fault of the server: {type(error).__name__}"))


class _Calls:
    def __init__(self, service: Service):
        self._service = service

    def timed(self, name: str, call: Call) -> Call:
        """A call that is counted, and ends in time."""
        seconds = self._service.options.request_seconds
        counts = self._service.metrics

        async def answer(request: Request) -> Response:
            start = time.perf_counter()
            found = Response(status_code=500)
            try:
                async with asyncio.timeout(seconds):
                    found = await call(request)
            except Refused as refused:
                found = response(refused)
            except TimeoutError:
                found = response(Refused(504, f"No answer within {seconds:g} seconds"))
            finally:
                counts.requests.labels(name, found.status_code).inc()
                counts.seconds.labels(name).observe(time.perf_counter() - start)
            return found

        return answer

    async def predict(self, request: Request) -> Response:
        self._check_name(request)
        version = request.path_params.get("version")
        async with self._service.admission.body(request) as body:
            return JSONResponse(await self._service.predict(body, version))

    async def faces(self, request: Request) -> Response:
        async with self._service.admission.body(request) as body:
            data = await upload(request, body)
            return JSONResponse(await self._service.faces(data))

    async def metadata(self, request: Request) -> Response:
        self._check_name(request)
        model = self._service.model(request.path_params.get("version"))
        name = self._service.versions.name
        spec = {"name": name, "signature_name": "", "version": str(model.version)}
        signatures = {"signature_def": model.signatures}
        return JSONResponse({"model_spec": spec, "metadata": signatures})

    async def status(self, request: Request) -> Response:
        self._check_name(request)
        rows = self._service.versions.states()
        version = request.path_params.get("version")
        if version is not None:
            rows = [row for row in rows if row["version"] == str(version)]
        if version is not None and not rows:
            self._service.model(version)
        return JSONResponse({"model_version_status": rows})

    async def health(self, request: Request) -> Response:
        del request
        model = self._service.model()
        name = self._service.versions.name
        return JSONResponse({"status": "ok", "model": name, "version": model.version})

    async def metrics(self, request: Request) -> Response:
        del request
        text = self._service.metrics.text()
        return Response(text, media_type=metrics.CONTENT_TYPE)

    def _check_name(self, request: Request) -> None:
        name = request.path_params["name"]
        if name != (known := self._service.versions.name):
            raise Refused(
                404,
                f"Malformed request: {request.method} {request.url.path}; Servable not "
                f"found for request: Latest({name}); the model here is {known}",
            )
