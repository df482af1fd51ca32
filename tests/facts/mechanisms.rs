//! Ways in which classes come about that a reader of syntax would miss, one small project each.

use crate::Outcome;
use crate::hostile::{Folder, Test, check, class, ended};

pub const ALL: &[Test] = &[
    ("a decorator that makes the class anew gives it its metaclass or bases", made_anew),
    ("a star under TYPE_CHECKING says what __getattr__ gives", promised_by_star),
    ("a module that imports from itself gets what it has bound", own_import),
    ("a star that only brings back what a module had changes nothing", returned_by_star),
    ("containers that a hook fills for itself leave the members alone", own_containers),
    ("subscripting an alias again is the same class", alias_of_alias),
];

fn made_anew() -> Outcome {
    let text = "class Meta(type): pass\n\n\
        def remake(metaclass):\n    def wrapper(cls):\n        \
        return metaclass(cls.__name__, cls.__bases__, dict(cls.__dict__))\n    return wrapper\n\n\
        def number(cls):\n    return type(cls.__name__, (int,), dict(cls.__dict__))\n\n\
        @remake(Meta)\nclass Base: pass\n\nclass Child(Base): pass\n\n\
        @number\nclass Level:\n    LOW = 1\n";
    let folder = Folder::new("anew", &[("anew.py", text)]);
    let (lines, output) = folder.facts();
    ended(&output, 0)?;
    for name in ["Base", "Child"] {
        let class = class(&lines, "anew.py", name);
        check(class["metaclass"] == "anew.Meta", name, class)?;
    }
    let level = class(&lines, "anew.py", "Level");
    check(level["mro"][1] == "builtins.int" && level["weakrefable"] == false, "the other base", level)
}

fn promised_by_star() -> Outcome {
    let package = "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from .models import *\n\n\
        def __getattr__(name):\n    from . import models\n    return getattr(models, name)\n";
    let models =
        "__all__ = ('Model',)\n\nclass Meta(type): pass\n\nclass Model(metaclass=Meta): pass\n\nclass Other: pass\n";
    let user = "from package import Model, Other\n\nclass Mine(Model): pass\n\nclass Else(Other): pass\n";
    let files = [("package/__init__.py", package), ("package/models.py", models), ("user.py", user)];
    let folder = Folder::new("promised", &files);
    let (lines, output) = folder.facts();
    ended(&output, 0)?;
    let mine = class(&lines, "user.py", "Mine");
    check(mine["metaclass"] == "package.models.Meta", "the promised base", mine)?;
    check(class(&lines, "user.py", "Else")["mro"].is_null(), "a name that nothing promises", &lines)
}

fn own_import() -> Outcome {
    let text = "class First: pass\n\nfrom package.own import First\n\nclass Second(First): pass\n";
    let folder = Folder::new("own", &[("package/__init__.py", ""), ("package/own.py", text)]);
    let (lines, output) = folder.facts();
    ended(&output, 0)?;
    let second = class(&lines, "own.py", "Second");
    check(second["mro"][1] == "package.own.First", "the base", second)
}

fn returned_by_star() -> Outcome {
    let package = "from package.core import *\nfrom package.more import *\nfrom package.stars import *\n";
    let core = "class Query: pass\n";
    let more = "from package import Query\n\nclass More(Query): pass\n";
    let stars = "from package import *\n\nclass Stars(Query): pass\n";
    let user = "from package import Query\n\nclass Mine(Query): pass\n";
    let files = [
        ("package/__init__.py", package),
        ("package/core.py", core),
        ("package/more.py", more),
        ("package/stars.py", stars),
        ("user.py", user),
    ];
    let folder = Folder::new("returned", &files);
    let (lines, output) = folder.facts();
    ended(&output, 0)?;
    for (file, name) in [("more.py", "More"), ("stars.py", "Stars"), ("user.py", "Mine")] {
        let class = class(&lines, file, name);
        check(class["mro"][1] == "package.core.Query", name, class)?;
    }
    Ok(())
}

fn own_containers() -> Outcome {
    let text = "class Field: pass\n\n\
        class Keeps:\n    def __init_subclass__(cls):\n        found = cls._found = {}\n        \
        for name, value in vars(cls).items():\n            found[name] = value\n        found.pop('x', None)\n\n\
        class Takes:\n    def __init_subclass__(cls):\n        found = {}\n        \
        for name in found:\n            setattr(cls, name, None)\n\n\
        class Kept(Keeps):\n    field = Field()\n\nclass Taken(Takes):\n    field = Field()\n";
    let folder = Folder::new("containers", &[("hooks.py", text)]);
    let (lines, output) = folder.facts();
    ended(&output, 0)?;
    check(class(&lines, "hooks.py", "Kept")["members"][0]["kind"] == "plain", "the hook fills a dictionary", &lines)?;
    check(class(&lines, "hooks.py", "Taken")["members"][0]["kind"].is_null(), "the hook sets members", &lines)
}

fn alias_of_alias() -> Outcome {
    let text = "from typing import Generic, TypeVar\n\nT = TypeVar('T')\nU = TypeVar('U')\n\n\
        class Pair(Generic[T, U]): pass\n\nNamed = Pair[str, U]\n\nclass Mine(Named[int]): pass\n";
    let folder = Folder::new("alias", &[("alias.py", text)]);
    let (lines, output) = folder.facts();
    ended(&output, 0)?;
    let mine = class(&lines, "alias.py", "Mine");
    check(mine["mro"][1] == "alias.Pair" && mine["mro"][2] == "typing.Generic", "the order", mine)
}
