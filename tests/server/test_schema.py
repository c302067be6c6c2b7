"""The OpenAPI document: it is one, and no request that is made from it fails."""

import warnings

import pytest

# Of what the generator makes one server has to stand a few hundred.
EXAMPLES = 40


def test_the_document_says_what_there_is(running):
    paths = running.http.get("/openapi.json").json()["paths"]
    assert {path: sorted(methods) for path, methods in paths.items()} == {
        "/v1/audio/speech": ["post"],
        "/v1/models": ["get"],
        "/v1/models/{model}": ["get"],
        "/v1/voices": ["get", "post"],
        "/v1/voices/{name}": ["delete"],
        "/health": ["get"],
        "/metrics": ["get"],
    }
    for methods in paths.values():
        for operation in methods.values():
            assert "422" not in operation["responses"]
            assert operation["summary"]


@pytest.fixture(params=["running", "builtin"])
def server(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/audio/speech"),
        ("POST", "/v1/voices"),
        ("DELETE", "/v1/voices/{name}"),
        ("GET", "/v1/voices"),
        ("GET", "/v1/models"),
        ("GET", "/v1/models/{model}"),
        ("GET", "/health"),
        ("GET", "/metrics"),
    ],
)
def test_no_request_makes_the_server_fail(server, method, path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the generator's own
        import hypothesis
        import schemathesis
        from schemathesis import GenerationMode

        schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
        cases = schema[path][method]
        strategy = hypothesis.strategies.one_of(
            cases.as_strategy(generation_mode=GenerationMode.POSITIVE),
            cases.as_strategy(generation_mode=GenerationMode.NEGATIVE),
        )

        @hypothesis.settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
        @hypothesis.given(case=strategy)
        def try_out(case):
            if isinstance(case.body, dict) and "model" in case.body:
                # Any other is refused before its text is looked at.
                case.body |= {"model": "tts-1", "voice": "alloy"}
            reply = case.call()
            assert reply.status_code < 500, reply.text
            if reply.status_code >= 400:
                assert set(reply.json()["error"]) == {"message", "type", "param", "code"}

        try_out()
    assert server.http.get("/health").json()["status"] == "healthy"
