"""Checks the pages' links into docs.python.org against a copy of the documentation.

    python tests/links.py HTML_FOLDER... [--list]

Each HTML_FOLDER holds the documentation as HTML, such as /usr/share/doc/python3.14/html of Debian's package python3.14-doc; the
first that has the page decides. Links to other sites are not checked; --list names them.
"""

import pathlib
import re
import sys

URL = re.compile(r"https?://[^\s)>\"']+")


def page_in(root, name):
    page = root / (name or "index.html")
    return page / "index.html" if page.is_dir() else page


def main():
    roots = [pathlib.Path(argument) for argument in sys.argv[1:] if argument != "--list"]
    wrong, unchecked, right, anchors = [], [], 0, {}
    for path in sorted(pathlib.Path("explanations").rglob("*")):
        if path.suffix not in (".md", ".toml"):
            continue
        for url in sorted({url.rstrip(".,;`") for url in URL.findall(path.read_text())}):
            if "docs.python.org/3/" not in url:
                unchecked.append(url)
                continue
            name, _, anchor = url.split("docs.python.org/3/")[1].partition("#")
            page = next((page for root in roots if (page := page_in(root, name)).is_file()), None)
            if page is None:
                wrong.append(f"{path}: {url}: no such page")
                continue
            if page not in anchors:
                anchors[page] = set(re.findall(r'id="([^"]+)"', page.read_text()))
            if anchor and anchor not in anchors[page]:
                wrong.append(f"{path}: {url}: no such anchor")
            else:
                right += 1
    print(f"{right} links are right, {len(wrong)} are not, {len(unchecked)} are unchecked")
    for line in wrong:
        print("wrong:", line)
    if "--list" in sys.argv:
        for line in sorted(set(unchecked)):
            print("unchecked:", line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
