"""A JSON document as nested lists that open and close without scripts."""

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import ngettext

from registry_site.artifacts.trees import Node

OPEN_LEVELS = 2
_BRACKETS = {"object": "{%s}", "array": "[%s]"}


def json_tree(node: Node) -> SafeString:
    """The tree from the root on, its first levels open. All text of the document is escaped."""
    return format_html('<ul class="json-tree" role="list">{}</ul>', _item(node, 0))


def _item(node: Node, depth: int) -> SafeString:
    key = format_html('<span class="json-key">{}</span> ', node.key) if depth else ""
    if node.type not in _BRACKETS:
        return format_html('<li>{}<span class="json-{}">{}</span></li>', key, node.type, _value(node))
    count = format_html('<span class="meta">{}</span>', _BRACKETS[node.type] % node.size)
    if not node.children:
        return format_html("<li>{}{}</li>", key, count)
    hidden = node.size - len(node.children)
    more = ngettext("… %d more", "… %d more", hidden) % hidden
    return format_html(
        '<li><details{}><summary>{}{}</summary><ul role="list">{}{}</ul></details></li>',
        SafeString(" open") if depth < OPEN_LEVELS else "",
        key,
        count,
        format_html_join("", "{}", ((_item(child, depth + 1),) for child in node.children)),
        format_html('<li class="meta">{}</li>', more) if hidden else "",
    )


def _value(node: Node) -> str:
    return f'"{node.value}"' if node.type == "string" else node.value
