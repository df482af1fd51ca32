pub mod text;
pub mod analysis;
