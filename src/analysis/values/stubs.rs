//! What the stubs of the standard library say about code that is not written in Python, or cannot be followed.

use std::sync::Arc;

use ruff_db::files::{File, vendored_path_to_file};
use ruff_db::vendored::VendoredPath;
use ruff_python_ast::{self as ast, AnyRootNodeRef, Expr};

use super::builtins::is_named;
use super::modules::{Context, Evaluator, module_member, module_name};
use super::{ClassRef, Function, ModuleRef, Node, Value};

impl<'db> Evaluator<'db> {
    /// The stub of a module.
    pub fn stub(&self, module: &str) -> Option<File> {
        let stem = module.replace('.', "/");
        let vendored = |path: String| vendored_path_to_file(self.db, VendoredPath::new(&path)).ok();
        vendored(format!("stdlib/{stem}.pyi")).or_else(|| vendored(format!("stdlib/{stem}/__init__.pyi")))
    }

    /// The class in a stub that describes a type written in C.
    pub fn stub_class(&self, full: &str) -> Option<Node> {
        let (module, name) = full.rsplit_once('.')?;
        let file = self.stub(module)?;
        let context = self.module_context(file);
        let reached = self.reach(&context, 0, name, None);
        let binding = &context.source.index.scope(0).bindings[*reached.bindings.first()?];
        context.source.class(binding.node).map(|_| context.source.at(binding.node))
    }

    /// The class that a module of the standard library has under a name which its code does not bind plainly, as
    /// `multiprocessing` does: its stub imports it from where it is defined.
    pub fn described_member(&self, file: File, name: &str) -> Option<Value> {
        if file.is_stub(self.db) || !self.is_of_library(file) {
            return None;
        }
        let stub = self.stub(&module_name(self.db, file)?)?;
        let source = self.source(stub);
        let is_passed_on = |node| matches!(source.node(node), AnyRootNodeRef::Alias(alias) if alias.asname.is_some());
        if !source.index.scope(0).bindings_of(name).any(|(_, binding)| is_passed_on(binding.node)) {
            return None;
        }
        match module_member(self.db, stub, name.to_string())? {
            Value::Class(ClassRef::Source(node)) if node.file.is_stub(self.db) => None,
            class @ Value::Class(_) => Some(class),
            _ => None,
        }
    }

    /// What the stub of a C function says it returns.
    pub fn described_result(&self, name: &str) -> Value {
        let Some((owner, function)) = name.rsplit_once('.') else { return Value::Unknown };
        let (node, scope) = match self.stub_class(owner) {
            Some(node) => (node.file, self.source(node.file).index.scope_of(node.number)),
            None => match self.stub(owner) {
                Some(file) => (file, Some(0)),
                None => return Value::Unknown,
            },
        };
        let Some(scope) = scope else { return Value::Unknown };
        self.stub_results(node, scope, function)
    }

    /// The results of all overloads of a function in a stub.
    fn stub_results(&self, file: File, scope: usize, name: &str) -> Value {
        let context = Context { scope, ..self.module_context(file) };
        let source = context.source.clone();
        let mut values = vec![];
        for (_, binding) in source.index.scope(scope).bindings_of(name) {
            let Some(def) = source.function(binding.node) else { return Value::Unknown };
            if self.runs(&context, binding.branch, binding.at, None).runs == super::reaching::Runs::Never {
                continue;
            }
            let Some(annotation) = &def.returns else { return Value::Unknown };
            values.push(self.annotated(&context, annotation));
        }
        Value::join(values)
    }

    /// What a function of a stub returns.
    pub fn stub_result(&self, node: Node) -> Value {
        let source = self.source(node.file);
        let Some(def) = source.function(node.number) else { return Value::Unknown };
        self.stub_results(node.file, source.scope_before(node.number), &def.name)
    }

    /// What the stub says about a function of the standard library whose code could not be followed.
    pub fn documented_result(&self, function: &Arc<Function>) -> Value {
        let file = function.node.file;
        let Some(module) = module_name(self.db, file) else { return Value::Unknown };
        let Some(stub) = self.stub(&module).filter(|_| self.is_of_library(file)) else { return Value::Unknown };
        let source = self.source(file);
        let Some(def) = source.function(function.node.number) else { return Value::Unknown };
        match self.owner(&function.node) {
            None if source.scope_before(function.node.number) == 0 => self.stub_results(stub, 0, &def.name),
            _ => Value::Unknown,
        }
    }

    /// An object that an annotation describes, where that names one class.
    pub fn annotated(&self, context: &Context<'db>, annotation: &Expr) -> Value {
        match annotation {
            Expr::NoneLiteral(_) => Value::None,
            Expr::BinOp(either) if either.op == ast::Operator::BitOr => {
                Value::join([self.annotated(context, &either.left), self.annotated(context, &either.right)])
            }
            Expr::Subscript(subscript) if is_qualifier(&subscript.value) => self.annotated(context, &subscript.slice),
            Expr::Subscript(subscript) => match self.evaluate(context, &subscript.value) {
                class @ Value::Class(_) => self.instance_of(&class),
                _ => Value::Unknown,
            },
            Expr::Name(_) | Expr::Attribute(_) => self.instance_of(&self.evaluate(context, annotation)),
            _ => Value::Unknown,
        }
    }

    fn instance_of(&self, value: &Value) -> Value {
        let Value::Class(class) = value else { return Value::Unknown };
        let class = match class {
            // The stub's class describes one of the library.
            ClassRef::Source(node) if node.file.is_stub(self.db) => match self.qualified_name(*node) {
                Some(full) => self.named_class(&full),
                None => return Value::Unknown,
            },
            other => other.clone(),
        };
        let is_plain = self.metaclass(&class).is_some_and(|metaclass| self.is_c(&metaclass, "builtins.type"));
        let is_vague = matches!(&class, ClassRef::C(name) if matches!(&**name, "builtins.object" | "builtins.type"));
        let is_stub = matches!(&class, ClassRef::Source(node) if node.file.is_stub(self.db));
        if is_plain && !is_vague && !is_stub { Value::Instance(class) } else { Value::Unknown }
    }

    /// Whether a file belongs to the standard library.
    pub fn is_of_library(&self, file: File) -> bool {
        let Some(ModuleRef::Source(os)) = self.any_file().and_then(|file| self.resolve(file, "os")) else {
            return false;
        };
        let (Some(os), Some(path)) = (os.path(self.db).as_system_path(), file.path(self.db).as_system_path()) else {
            return file.path(self.db).is_vendored_path();
        };
        os.parent().is_some_and(|library| path.starts_with(library)) && !path.as_str().contains("site-packages")
    }
}

/// Forms of `typing` around the class that is meant.
fn is_qualifier(expr: &Expr) -> bool {
    ["Final", "ClassVar"].iter().any(|name| is_named(expr, name))
}
