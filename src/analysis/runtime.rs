//! Where the stubs differ from CPython: public names, descriptors, what can be weakly referenced.
//!
//! The rows are data (`explanations/tables/runtime.toml`), each with its source; this is their shape.

use std::collections::HashMap;

use serde::Deserialize;

/// One table for the whole program, made once at start.
#[derive(Debug, Default)]
pub struct RuntimeTable {
    names: HashMap<String, String>,
    modules: HashMap<String, String>,
    descriptors: HashMap<String, DescriptorKind>,
    enters_itself: Vec<String>,
    returns: HashMap<String, String>,
}

/// What a standard class is as a descriptor at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DescriptorKind {
    Data,
    NonData,
    None,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rows {
    #[serde(default)]
    name: Vec<NameRow>,
    #[serde(default)]
    module: Vec<NameRow>,
    #[serde(default)]
    descriptor: Vec<DescriptorRow>,
    #[serde(default)]
    enters_itself: Vec<EntersRow>,
    #[serde(default)]
    returns: Vec<ReturnsRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NameRow {
    defined: String,
    public: String,
    #[serde(rename = "source")]
    _source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DescriptorRow {
    class: String,
    kind: DescriptorKind,
    #[serde(rename = "source")]
    _source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EntersRow {
    class: String,
    #[serde(rename = "source")]
    _source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReturnsRow {
    call: String,
    class: String,
    #[serde(rename = "source")]
    _source: String,
}

impl RuntimeTable {
    /// Reads the table from TOML.
    ///
    /// # Errors
    /// The TOML error, with line and column, for a row of the wrong shape.
    pub fn from_toml(text: &str) -> Result<Self, String> {
        let rows: Rows = toml::from_str(text).map_err(|error| error.to_string())?;
        let pairs = |rows: Vec<NameRow>| rows.into_iter().map(|row| (row.defined, row.public)).collect();
        Ok(Self {
            names: pairs(rows.name),
            modules: pairs(rows.module),
            descriptors: rows.descriptor.into_iter().map(|row| (row.class, row.kind)).collect(),
            enters_itself: rows.enters_itself.into_iter().map(|row| row.class).collect(),
            returns: rows.returns.into_iter().map(|row| (row.call, row.class)).collect(),
        })
    }

    /// The public module and qualified name of what is defined as `name` in `module`.
    pub(super) fn public(&self, module: &str, name: &str) -> (String, String) {
        // A row for a class serves its members too: try `Class.method`, then `Class`.
        let mut head = name;
        loop {
            let full = format!("{module}.{head}");
            if let Some(public) = self.names.get(&full) {
                let rest = &name[head.len()..];
                let (module, public) = public.rsplit_once('.').unwrap_or(("", public));
                return (module.to_string(), format!("{public}{rest}"));
            }
            match head.rsplit_once('.') {
                Some((shorter, _)) => head = shorter,
                None => break,
            }
        }
        let module = self.modules.get(module).map_or(module, String::as_str);
        (module.to_string(), name.to_string())
    }

    /// What the standard class with this public name is as a descriptor, where its stub is no guide.
    pub(super) fn descriptor(&self, class: &str) -> Option<DescriptorKind> {
        self.descriptors.get(class).copied()
    }

    /// Whether entering an instance of this third-party class as a context manager gives that instance.
    pub(super) fn enters_itself(&self, class: &str) -> bool {
        self.enters_itself.iter().any(|name| name == class)
    }

    /// The class of what this third-party function returns, for when its package is not installed.
    pub(super) fn returned_class(&self, call: &str) -> Option<(&str, &str)> {
        self.returns.get(call)?.rsplit_once('.')
    }
}
