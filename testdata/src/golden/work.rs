//! Ordinary days: people, pipeline, functions, services, and their usual errors.

mod machines;
mod people;

use super::{DAYS, Story, is_weekday};

pub(super) use people::{SignIn, sign_in, use_command_line};

pub(super) fn tell(story: &mut Story) {
    for day in 1..=DAYS {
        machines::run(story, day);
        if is_weekday(day) {
            people::engineers(story, day);
            people::marisol(story, day);
            machines::deploy(story, day);
        }
    }
    people::throttled_engineer(story);
    people::root_in_the_office(story);
}
