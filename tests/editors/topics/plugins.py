"""Classes that a metaclass builds and keeps in a list."""


class Plugin(type):
    known = {}

    def __new__(mcls, name, bases, namespace):
        cls = super().__new__(mcls, name, bases, namespace)
        if "format" in namespace and not namespace.get("abstract"):
            mcls.known[namespace["format"]] = cls
        return cls


class Exporter(metaclass=Plugin):
    abstract = True
    format = "text"


class JsonExporter(Exporter):
    format = "json"


class PlainExporter(Exporter):
    pass


print(sorted(Plugin.known))
