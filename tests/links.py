"""Checks the pages' links against copies of the documentation.

    python tests/links.py ADDRESS=FOLDER... [--list]

FOLDER holds, as HTML, what is published below ADDRESS; of several for one address the first that has the page decides. Links to
elsewhere are not checked; --list names them. Ends with 1 when a page or an anchor is missing.
"""

import pathlib
import re
import sys

URL = re.compile(r"https?://[^\s)>\"']+")
# What only an example connects to.
OF_EXAMPLES = re.compile(r"https?://(127\.0\.0\.1|example\.)")


def page_in(folder, name):
    """The file of a page, whose address may end in `/`, in `.html`, or in neither."""
    page = folder / (name or "index.html")
    candidates = [page / "index.html", page, page.with_name(page.name + ".html")]
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def main():
    copies = [argument.split("=", 1) for argument in sys.argv[1:] if argument != "--list"]
    wrong, unchecked, right, anchors = [], set(), 0, {}
    for path in sorted(pathlib.Path("explanations").rglob("*")):
        if path.suffix not in (".md", ".toml"):
            continue
        for url in sorted({url.rstrip(".,;`") for url in URL.findall(path.read_text())}):
            if OF_EXAMPLES.match(url):
                continue
            address = next((address for address, _ in copies if url.startswith(address)), None)
            if address is None:
                unchecked.add(url)
                continue
            name, _, anchor = url.removeprefix(address).partition("#")
            folders = [pathlib.Path(folder) for other, folder in copies if other == address]
            page = next((page for folder in folders if (page := page_in(folder, name))), None)
            if page is None:
                wrong.append(f"{path}: {url}: no such page")
                continue
            if page not in anchors:
                anchors[page] = set(re.findall(r'\bid="([^"]+)"', page.read_text()))
            if anchor and anchor not in anchors[page]:
                wrong.append(f"{path}: {url}: no such anchor")
            else:
                right += 1
    print(f"links: {right} are right, {len(wrong)} are wrong, {len(unchecked)} are to pages of which there is no copy")
    for line in wrong:
        print("wrong:", line)
    if "--list" in sys.argv:
        for line in sorted(unchecked):
            print("unchecked:", line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
