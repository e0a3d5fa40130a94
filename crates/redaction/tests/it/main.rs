//! What is found in sentences of people, and what holds for any text.

mod golden;
mod health;
mod quality;
mod rules;
