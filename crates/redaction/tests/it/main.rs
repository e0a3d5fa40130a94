//! What is found in sentences of people, and what holds for any text.

mod golden;
mod quality;
mod rules;
