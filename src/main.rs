use dunderstand::*;
use std::sync::Arc;
fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let path = std::fs::canonicalize(&arguments[1]).unwrap();
    let knowledge = analysis::Knowledge {
        runtime: analysis::RuntimeTable::from_toml(pages::table("runtime")).unwrap(),
        blocking: analysis::BlockingTable::from_toml(pages::table("blocking")).unwrap(),
    };
    let root = analysis::RootSettings { path: path.parent().unwrap().to_path_buf(), ..Default::default() };
    let project = analysis::Project::open(&[root], Arc::new(knowledge)).unwrap();
    eprintln!("{:?}", project.environments());
    let store = pages::Store::embedded();
    for error in store.errors() {
        eprintln!("{error}");
    }
    let snapshot = project.snapshot();
    let r = std::thread::Builder::new()
        .stack_size(analysis::STACK_SIZE)
        .spawn(move || {
            snapshot.read(|snapshot| {
                let module = snapshot.module(&path).unwrap();
                let options = features::Options::default();
                let view = features::View { module: &module, store: &store, options: &options };
                for finding in detectors::findings(&module, &store, &|_| true) {
                    println!(
                        "{}: {} {:?}",
                        module.lines().line(finding.range.start()),
                        finding.concept,
                        module.source(finding.range)
                    );
                }
                for d in features::diagnostics(&view) {
                    println!("{d:?}");
                }
                if arguments.len() > 2 {
                    let at = |i: usize| arguments[i].parse::<u32>().unwrap();
                    let offset = module
                        .lines()
                        .offset(text::Position { line: at(2) - 1, character: at(3) - 1 }, text::Encoding::Utf16);
                    if let Some(h) = features::hover(&view, offset) {
                        println!("{}", h.markdown);
                    }
                }
            })
        })
        .unwrap()
        .join()
        .unwrap();
    r.unwrap();
}
