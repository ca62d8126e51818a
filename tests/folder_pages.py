"""Pages of a folder in a browser, from its files or by http, watched for trouble."""

from contextlib import contextmanager

from test_site import serve


@contextmanager
def opened_pages(browser, folder):
    """Open pages of a folder until the block ends.

    Yields:
        A function that opens a page by its name, as a new visitor with options of the
        browser, by "file" or by "http"; and what went wrong so far on any page: errors,
        and requests that leave the folder.
    """
    server, contexts, trouble = serve(folder), [], []
    places = {
        "http": f"http://127.0.0.1:{server.server_port}/",
        "file": f"{folder.as_uri()}/",
    }

    def go(name, *, by="file", **options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("console", lambda m: m.type == "error" and trouble.append(m.text))
        own = (places[by], "blob:", "data:")
        page.on("request", lambda r: r.url.startswith(own) or trouble.append(r.url))
        page.goto(f"{places[by]}{name}.html")
        return page

    try:
        yield go, trouble
    finally:
        for context in contexts:
            context.close()
        server.shutdown()
        server.server_close()
