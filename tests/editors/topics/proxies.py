"""Attributes that are not there until somebody asks."""


class Settings:
    defaults = {"colour": "blue", "size": 12}

    def __init__(self, **values):
        self.values = values

    def __getattr__(self, name):
        try:
            return self.values.get(name, self.defaults[name])
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name, value):
        if name == "values":
            super().__setattr__(name, value)
        else:
            self.values[name] = value


settings = Settings(size=14)
print(settings.colour, settings.size)
settings.colour = "red"
print(settings.colour)
