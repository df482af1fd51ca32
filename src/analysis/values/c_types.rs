//! What is written in C: the types and modules of CPython, from a table.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;

/// The table, made once at start.
#[derive(Debug, Default)]
pub struct CTypes {
    types: HashMap<String, CFacts>,
    modules: HashMap<String, CModule>,
}

/// What a type written in C is like.
#[derive(Clone, Debug)]
pub(super) struct CFacts {
    pub bases: Vec<Arc<str>>,
    pub metaclass: Arc<str>,
    /// Its instances have a `__dict__`.
    pub has_dict: bool,
    /// Its instances can be referenced weakly.
    pub is_weakrefable: bool,
    /// Its instances vary in size.
    pub is_variable: bool,
    /// No class may derive from it.
    pub is_final: bool,
    descriptor: Descriptor,
    /// The minor versions of Python 3 in which it is none, from and before.
    not_descriptor: Option<(u8, u8)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Descriptor {
    None,
    NonData,
    Data,
}

/// What a module written in C holds.
#[derive(Debug, Default)]
struct CModule {
    /// The type that a name stands for.
    classes: HashMap<String, Arc<str>>,
    functions: Vec<String>,
    /// The type of the value of a name.
    values: HashMap<String, Arc<str>>,
}

/// An entry of a module written in C.
pub(super) enum CEntry {
    Class(Arc<str>),
    Function,
    /// A value of this type.
    Value(Arc<str>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rows {
    types: Vec<String>,
    module: Vec<ModuleRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModuleRow {
    name: String,
    #[serde(default)]
    classes: Vec<String>,
    #[serde(default)]
    functions: Vec<String>,
    #[serde(default)]
    values: HashMap<String, Vec<String>>,
}

impl CFacts {
    pub fn is_descriptor(&self, version: (u8, u8)) -> bool {
        self.descriptor(version) != Descriptor::None
    }

    /// What its instances are as descriptors, in a version of Python.
    pub fn descriptor(&self, (_, minor): (u8, u8)) -> Descriptor {
        match self.not_descriptor {
            Some((from, before)) if (from..before).contains(&minor) => Descriptor::None,
            _ => self.descriptor,
        }
    }
}

impl CTypes {
    /// Reads the table from TOML.
    ///
    /// # Errors
    /// The TOML error, or the row that cannot be read.
    pub fn from_toml(text: &str) -> Result<Self, String> {
        let rows: Rows = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut table = Self::default();
        for row in &rows.types {
            let (name, facts) = type_row(row).ok_or_else(|| format!("a type cannot be read: {row}"))?;
            table.types.insert(name, facts);
        }
        for row in rows.module {
            let mut module = CModule { functions: row.functions, ..CModule::default() };
            for class in row.classes {
                let (name, full) = match class.split_once(" = ") {
                    Some((name, full)) => (name.to_string(), full.into()),
                    None => (class.clone(), format!("{}.{class}", row.name).into()),
                };
                module.classes.insert(name, full);
            }
            for (type_, names) in row.values {
                let type_: Arc<str> = type_.into();
                module.values.extend(names.into_iter().map(|name| (name, type_.clone())));
            }
            table.modules.insert(row.name, module);
        }
        Ok(table)
    }

    pub(super) fn has_module(&self, name: &str) -> bool {
        self.modules.contains_key(name)
    }

    /// What a name of a module written in C stands for, as far as the table tells.
    pub(super) fn entry(&self, module: &str, name: &str) -> Option<CEntry> {
        let module = self.modules.get(module)?;
        if let Some(class) = module.classes.get(name) {
            return Some(CEntry::Class(class.clone()));
        }
        if let Some(type_) = module.values.get(name) {
            return Some(CEntry::Value(type_.clone()));
        }
        module.functions.iter().any(|function| function == name).then_some(CEntry::Function)
    }

    /// The facts about a type, by its name at run time.
    pub(super) fn facts(&self, name: &str) -> Option<&CFacts> {
        self.types.get(name)
    }
}

/// `name(base, base) metaclass=… words`.
fn type_row(row: &str) -> Option<(String, CFacts)> {
    let (head, words) = match row.split_once(')') {
        Some((head, words)) => (head, words),
        None => row.split_once(' ').unwrap_or((row, "")),
    };
    let (name, bases) = match head.split_once('(') {
        Some((name, bases)) => (name, bases.split(", ").map(Arc::from).collect()),
        None if head == "builtins.object" => (head, vec![]),
        None => (head, vec!["builtins.object".into()]),
    };
    let mut facts = CFacts {
        bases,
        metaclass: "builtins.type".into(),
        has_dict: false,
        is_weakrefable: false,
        is_variable: false,
        is_final: false,
        descriptor: Descriptor::None,
        not_descriptor: None,
    };
    for word in words.split_whitespace() {
        match word {
            "dict" => facts.has_dict = true,
            "weakref" => facts.is_weakrefable = true,
            "variable" => facts.is_variable = true,
            "final" => facts.is_final = true,
            "descriptor" => facts.descriptor = Descriptor::NonData,
            "data-descriptor" => facts.descriptor = Descriptor::Data,
            word => match (word.strip_prefix("metaclass="), word.strip_prefix("not-descriptor=")) {
                (Some(metaclass), _) => facts.metaclass = metaclass.into(),
                (_, Some(versions)) => {
                    let (from, before) = versions.split_once("..")?;
                    let minor = |version: &str| version.strip_prefix("3.")?.parse().ok();
                    facts.not_descriptor = Some((minor(from)?, minor(before)?));
                }
                _ => return None,
            },
        }
    }
    Some((name.to_string(), facts))
}
