//! The talk of the sample, one file per language: tables of scenes and nothing else.

mod arabic;
mod counsel;
mod english;
mod german;
mod hebrew;
mod internal;
mod japanese;
mod portuguese;
mod spanish;

use super::language::Language;
use super::scene::Scene;

pub use counsel::SCENES as COUNSEL;
pub use internal::{LEADS, LOGISTICS, SALES, SOCIAL};

/// Scenes between a client `C` and a sales person `R`.
pub const fn with_client(language: Language) -> &'static [Scene] {
    match language {
        Language::English | Language::American => english::SCENES,
        Language::Spanish => spanish::SCENES,
        Language::Portuguese => portuguese::SCENES,
        Language::German => german::SCENES,
        Language::Arabic => arabic::SCENES,
        Language::Hebrew => hebrew::SCENES,
        Language::Japanese => japanese::SCENES,
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene::TemplateLine;
    use super::*;

    const ROLES_WITH_CLIENT: &str = "CR";
    const ROLES_INSIDE: &str = "RSWFB";
    const SLOTS: &str = "p p2 q u w t v k n d e b y h o i l";

    fn check(scenes: &[Scene], roles: &str) {
        assert!(scenes.len() >= 8, "a table of scenes is too small");
        scenes.iter().for_each(|scene| check_matches(scene));
        for line in scenes.iter().flat_map(|scene| scene.iter()) {
            let Some(cut) = TemplateLine::cut(line) else {
                panic!("not a template line: {line}");
            };
            assert!(roles.contains(cut.role), "role of {line}");
            for wording in cut.wordings.split(" | ") {
                assert!(!wording.trim().is_empty(), "an empty wording: {line}");
                for slot in wording.split('{').skip(1) {
                    let Some((name, _)) = slot.split_once('}') else {
                        panic!("an open brace: {line}");
                    };
                    let known = SLOTS.split(' ').any(|slot| slot == name)
                        || (name.len() == 1 && roles.contains(name));
                    assert!(known, "slot {name} of {line}");
                }
            }
        }
    }

    /// Lines whose wordings go together have equally many.
    fn check_matches(scene: Scene) {
        let counts: Vec<usize> = scene
            .iter()
            .filter_map(|line| TemplateLine::cut(line))
            .filter(|line| line.matched)
            .map(|line| line.wordings.split(" | ").count())
            .collect();
        assert!(counts.len() != 1, "a match without a partner: {scene:?}");
        assert!(
            counts.iter().all(|count| *count == counts[0]),
            "{counts:?}: {scene:?}"
        );
    }

    #[test]
    fn every_scene_is_well_formed_and_names_known_people_and_slots() {
        for language in [
            Language::English,
            Language::Spanish,
            Language::Portuguese,
            Language::German,
            Language::Arabic,
            Language::Hebrew,
            Language::Japanese,
        ] {
            check(with_client(language), ROLES_WITH_CLIENT);
        }
        for scenes in [SALES, LOGISTICS, LEADS, SOCIAL] {
            check(scenes, ROLES_INSIDE);
        }
        check(COUNSEL, "BL");
    }

    #[test]
    fn every_scene_starts_with_a_line_that_stays_and_has_an_answer() {
        let tables = [english::SCENES, german::SCENES, SALES, LOGISTICS, COUNSEL];
        for scene in tables.iter().flat_map(|scenes| scenes.iter()) {
            let roles: Vec<char> = scene
                .iter()
                .filter_map(|line| TemplateLine::cut(line))
                .filter(|line| !line.optional)
                .map(|line| line.role)
                .collect();
            assert!(roles.len() >= 2, "{scene:?}");
            assert!(roles.iter().any(|role| *role != roles[0]), "{scene:?}");
        }
    }
}
