"""Grafana's JSON: dashboards that fill themselves from left to right, their panels and variables.

Schema 38 is Grafana 10.0's; later ones read it and bring it up to date.
"""

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
TAG = "libvirt_nova"
WIDTH = 24


class Dashboard:
    """Panels in rows; each has the next place that is wide enough, and the next id."""

    def __init__(self, uid, title, description, variables, time="now-3h", refresh="30s"):
        self.x = self.y = self.height = self.ids = 0
        self.row_of = None
        self.json = {
            "uid": uid,
            "title": title,
            "description": description,
            "tags": [TAG],
            "schemaVersion": 38,
            "version": 1,
            "editable": True,
            "graphTooltip": 1,
            "timezone": "",
            "refresh": refresh,
            "time": {"from": time, "to": "now"},
            "annotations": {"list": []},
            "links": [among_each_other()],
            "templating": {"list": [datasource(), *variables]},
            "panels": [],
        }

    def row(self, title, collapsed=False):
        """Begins a row; the panels that follow are in it."""
        self._end_line()
        row = {
            "id": self._id(),
            "type": "row",
            "title": title,
            "collapsed": collapsed,
            "gridPos": {"h": 1, "w": WIDTH, "x": 0, "y": self.y},
            "panels": [],
        }
        self.json["panels"].append(row)
        self.y += 1
        # Grafana keeps the panels of a row within it only where it is folded.
        self.row_of = row["panels"] if collapsed else None

    def add(self, panel, width, height):
        if self.x + width > WIDTH:
            self._end_line()
        place = {"h": height, "w": width, "x": self.x, "y": self.y}
        panels = self.json["panels"] if self.row_of is None else self.row_of
        panels.append({"id": self._id(), "gridPos": place, **panel})
        self.x += width
        self.height = max(self.height, height)

    def _end_line(self):
        self.y += self.height
        self.x = self.height = 0

    def _id(self):
        self.ids += 1
        return self.ids


def among_each_other():
    """Leads to the other dashboards, with the time and the variables that they share."""
    return {
        "type": "dashboards",
        "title": "libvirt_nova",
        "tags": [TAG],
        "asDropdown": False,
        "icon": "external link",
        "includeVars": True,
        "keepTime": True,
        "targetBlank": False,
        "tooltip": "",
        "url": "",
    }


def datasource():
    return {
        "type": "datasource",
        "name": "datasource",
        "label": "Prometheus",
        "query": "prometheus",
        "regex": "",
        "hide": 0,
        "includeAll": False,
        "multi": False,
        "refresh": 1,
        "options": [],
        "skipUrlSync": False,
    }


def variable(name, label, description, query, regex="", several=False):
    """One whose values Prometheus tells, anew whenever the time changes."""
    shared = {
        "type": "query",
        "name": name,
        "label": label,
        "description": description,
        "datasource": DATASOURCE,
        "query": {"query": query, "refId": name},
        "regex": regex,
        "hide": 0,
        "includeAll": several,
        "multi": several,
        "refresh": 2,
        "sort": 5,
        "options": [],
        "skipUrlSync": False,
    }
    if several:
        # Where all are chosen, nothing is spelled out.
        return {**shared, "allValue": ".+", "current": {"selected": True, "text": ["All"], "value": ["$__all"]}}
    return shared


def targets(queries, how):
    """A target a query; a query is text, or text with its legend."""
    made = []
    for letter, query in zip("ABCDEFGHIJKLMNOP", queries):
        expression, legend = query if isinstance(query, tuple) else (query, "")
        made.append({"refId": letter, "datasource": DATASOURCE, "editorMode": "code", "expr": expression, "legendFormat": legend or "__auto", **how})
    return made


def thresholds(*steps):
    """Green, then each colour from its value on; without any, no colour says that something is well."""
    first = "green" if steps else "blue"
    return {"mode": "absolute", "steps": [{"color": first, "value": None}, *({"color": c, "value": v} for v, c in steps)]}


def panel(kind, title, description, queries, how, unit, limits, custom, options, **defaults):
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": DATASOURCE,
        "targets": targets(queries, how),
        "fieldConfig": {
            "defaults": {"unit": unit, "thresholds": thresholds(*limits), "custom": custom, **defaults},
            "overrides": [],
        },
        "options": options,
    }


RANGE = {"range": True, "instant": False, "format": "time_series"}
INSTANT = {"range": False, "instant": True, "format": "time_series"}
TABLE = {"range": False, "instant": True, "format": "table"}


def stat(title, description, queries, unit="short", limits=(), decimals=None, mappings=(), text="auto"):
    defaults = {"color": {"mode": "thresholds"}, "mappings": list(mappings)}
    if decimals is not None:
        defaults["decimals"] = decimals
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "orientation": "auto",
        "textMode": text,
        "colorMode": "value",
        "graphMode": "none",
        "justifyMode": "auto",
    }
    return panel("stat", title, description, queries, INSTANT, unit, limits, {}, options, **defaults)


def lines(title, description, queries, unit="short", limits=(), stacked=False, bars=False, minimum=0, links=()):
    custom = {
        "drawStyle": "bars" if bars else "line",
        "lineWidth": 1,
        "fillOpacity": 60 if bars else 20 if stacked else 0,
        "showPoints": "never",
        # A gap is a gap: where nothing was told, no line stands for it.
        "spanNulls": False,
        "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "dashed" if limits else "off"},
    }
    options = {
        "legend": {"displayMode": "table", "placement": "bottom", "showLegend": True, "calcs": ["lastNotNull", "max"]},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    defaults = {"color": {"mode": "palette-classic"}, "links": list(links)}
    if minimum is not None:
        defaults["min"] = minimum
    return panel("timeseries", title, description, queries, RANGE, unit, limits, custom, options, **defaults)


def heatmap(title, description, query, unit):
    """Of a histogram's buckets."""
    options = {
        "calculate": False,
        "yAxis": {"unit": unit, "axisPlacement": "left"},
        "rowsFrame": {"layout": "auto"},
        "color": {"mode": "scheme", "scheme": "Oranges", "fill": "dark-orange", "exponent": 0.5, "scale": "exponential", "reverse": False, "steps": 64},
        "cellGap": 1,
        "exemplars": {"color": "rgba(255,0,255,0.7)"},
        "filterValues": {"le": 1e-9},
        "legend": {"show": True},
        "showValue": "never",
        "tooltip": {"mode": "single", "yHistogram": False},
    }
    how = {**RANGE, "format": "heatmap"}
    return panel("heatmap", title, description, [(query, "{{le}}")], how, "s", (), {"hideFrom": {"legend": False, "tooltip": False, "viz": False}}, options)


def timeline(title, description, query):
    """Which of several things is so, over time; the legend names it."""
    custom = {"fillOpacity": 80, "lineWidth": 0}
    options = {
        "mergeValues": True,
        "rowHeight": 0.9,
        "showValue": "never",
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False, "calcs": []},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    return panel("state-timeline", title, description, [query], RANGE, "short", (), custom, options, color={"mode": "thresholds"})


def column(name, title=None, unit=None, limits=(), link=None, decimals=None, mappings=()):
    """How a table shows a label, by its name, or the value of a query, by its letter."""
    field = f"Value #{name}" if len(name) == 1 else name
    properties = []
    if title:
        properties.append({"id": "displayName", "value": title})
    if unit:
        properties.append({"id": "unit", "value": unit})
    if decimals is not None:
        properties.append({"id": "decimals", "value": decimals})
    if limits:
        properties.append({"id": "thresholds", "value": thresholds(*limits)})
        properties.append({"id": "custom.cellOptions", "value": {"type": "color-text"}})
    if mappings:
        properties.append({"id": "mappings", "value": list(mappings)})
    if link:
        properties.append({"id": "links", "value": [link]})
    return field, properties


def table(title, description, queries, columns, sort=None):
    """Instant queries side by side, joined by the labels that they share; columns in the order given."""
    custom = {"align": "auto", "cellOptions": {"type": "auto"}, "filterable": True, "inspect": False}
    letters = "ABCDEFGHIJKLMNOP"[: len(queries)]
    order = {field: at for at, (field, _) in enumerate(columns)}
    # One query's value has no letter.
    if len(queries) == 1:
        order = {("Value" if field == "Value #A" else field): at for field, at in order.items()}
    left_out = ["Time", *(["Value"] if len(queries) == 1 else [f"Value #{letter}" for letter in letters])]
    made = panel("table", title, description, queries, TABLE, "short", (), custom, {"showHeader": True, "cellHeight": "sm"}, color={"mode": "thresholds"})
    made["transformations"] = [
        {"id": "merge", "options": {}},
        {
            "id": "organize",
            "options": {
                "excludeByName": {field: True for field in left_out if field not in order},
                "indexByName": order,
                "renameByName": {},
            },
        },
    ]
    for field, properties in columns:
        name = "Value" if len(queries) == 1 and field == "Value #A" else field
        if properties:
            made["fieldConfig"]["overrides"].append({"matcher": {"id": "byName", "options": name}, "properties": properties})
    if sort:
        made["options"]["sortBy"] = [{"displayName": sort, "desc": True}]
    return made


def link(title, uid, **variables):
    """To another dashboard, with the time; values are what Grafana puts in, as `${__data.fields.uuid}`."""
    chosen = "".join(f"&var-{name}={value}" for name, value in variables.items())
    return {"title": title, "url": f"/d/{uid}?${{datasource:queryparam}}{chosen}&${{__url_time_range}}", "targetBlank": False}
