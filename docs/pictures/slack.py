#!/usr/bin/env python3
"""Draws slack.json, a message as a Slack sink got it, as slack.png: `docs/pictures/slack.py`; needs chromium."""
import html
import json
import pathlib
import shutil
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
STYLE = """
body { font: 15px/1.46 Lato, 'Noto Sans', Arial, sans-serif; color: #1d1c1d; background: #fff; margin: 16px; width: 700px }
.message { display: grid; grid-template-columns: 36px 1fr; gap: 8px }
.icon { background: #123; color: #fff; border-radius: 6px; height: 36px; text-align: center; line-height: 36px }
.name { font-weight: 900 } .app { background: #eee; color: #616061; font-size: 10px; border-radius: 2px; padding: 1px 3px }
h3 { font-size: 18px; margin: 4px 0 } p { margin: 6px 0; white-space: pre-line; overflow-wrap: anywhere }
.fields { display: grid; grid-template-columns: 1fr 1fr; gap: 8px; margin: 8px 0 } .fields p { margin: 0 }
"""


def text(one):
    return html.escape(one["text"])


def block(one):
    if one["type"] == "header":
        return f"<h3>{text(one['text'])}</h3>"
    fields = "".join(f"<p>{text(field)}</p>" for field in one.get("fields", []))
    said = f"<p>{text(one['text'])}</p>" if "text" in one else ""
    return said + (f'<div class="fields">{fields}</div>' if fields else "")


def main():
    blocks = "".join(block(one) for one in json.loads((HERE / "slack.json").read_text())["blocks"])
    head = '<span class="name">sentrail</span> <span class="app">APP</span>'
    page = f'<!doctype html><meta charset="utf-8"><style>{STYLE}</style>' \
           f'<div class="message"><div class="icon">s</div><div>{head}{blocks}</div></div>'
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "slack.html"
        file.write_text(page)
        chromium = shutil.which("chromium") or "google-chrome"
        command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=740,740"]
        command += ["--disable-background-networking", "--disable-component-update", f"--user-data-dir={folder}/profile"]
        subprocess.run([*command, f"--screenshot={HERE / 'slack.png'}", file.as_uri()], check=True, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
