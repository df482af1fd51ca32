//! A line with `{{facts}}`: filled in, or dropped whole when one is missing.

/// A line of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Fact(String),
}

impl Template {
    /// Reads a line.
    ///
    /// # Errors
    /// When a `{{` is not closed or holds anything but a name.
    pub fn parse(line: &str) -> Result<Self, String> {
        let mut parts = vec![];
        let mut rest = line;
        while let Some((text, tail)) = rest.split_once("{{") {
            let (name, tail) = tail.split_once("}}").ok_or_else(|| format!("`{{{{` is not closed in: {line}"))?;
            let name = name.trim();
            if name.is_empty()
                || !name.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_')
            {
                return Err(format!("`{{{{{name}}}}}` is not the name of a fact"));
            }
            if !text.is_empty() {
                parts.push(Part::Text(text.to_string()));
            }
            parts.push(Part::Fact(name.to_string()));
            rest = tail;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_string()));
        }
        Ok(Self { parts })
    }

    /// The names of the facts it uses.
    pub fn facts(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Fact(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The line with its facts, or `None` if `fact` does not know one of them.
    pub fn fill(&self, fact: &dyn Fn(&str) -> Option<String>) -> Option<String> {
        let mut line = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => line.push_str(text),
                Part::Fact(name) => line.push_str(&fact(name)?),
            }
        }
        Some(line)
    }
}
