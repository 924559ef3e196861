//! The command that makes a finding again, and ends. In: what a program was asked that found it. Out: arguments of a
//! `replay`: `run` never ends, and whoever goes on with a state reads nothing twice.

/// Stands where a queue told of the logs, which does not say where they lie.
const ANYWHERE: &str = "s3://BUCKET/PREFIX";

/// A replay of the same logs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Again {
    pub(super) arguments: Vec<String>,
    /// What has to be done by hand, or may be otherwise.
    pub(super) note: Option<&'static str>,
}

/// The replay that finds what `command` has found.
pub(super) fn again(command: &[String]) -> Again {
    let is_run = command.first().is_some_and(|name| name == "run");
    let (mut options, mut paths) = (vec!["replay".to_owned()], Vec::new());
    let mut rest = command.iter().skip(1);
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--folder" | "--bucket" if is_run => paths.extend(rest.next().cloned()),
            "--queue" if is_run => drop(rest.next()),
            "--state" => drop(rest.next()),
            "--hindsight" => options.push(argument.clone()),
            option if option.starts_with("--") => {
                options.push(argument.clone());
                options.extend(rest.next().cloned());
            }
            _ => paths.push(argument.clone()),
        }
    }
    let note = match (is_run, paths.is_empty()) {
        (true, true) => {
            paths.push(ANYWHERE.to_owned());
            Some(
                "A queue told of the logs: put in the bucket that they lie in. A replay closes all days; what `run` \
                 says of the watch itself it does not find.",
            )
        }
        (true, false) => {
            Some("A replay closes all days; what `run` says of the watch itself it does not find.")
        }
        (false, _) => None,
    };
    options.append(&mut paths);
    Again { arguments: options, note }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(command: &str) -> String {
        let command: Vec<_> = command.split(' ').map(str::to_owned).collect();
        again(&command).arguments.join(" ")
    }

    #[test]
    fn what_the_daemon_found_is_made_again_by_a_replay_that_ends() {
        let run = "run --folder logs --queue https://q --bucket s3://b/p --from 2025-03-14T00:00:00Z --state s.db \
                   --account 111122223333 --config a.toml";
        let expected = "replay --from 2025-03-14T00:00:00Z --account 111122223333 --config a.toml logs s3://b/p";
        assert_eq!(arguments(run), expected);
        let expected = "replay s3://BUCKET/PREFIX";
        assert_eq!(arguments("run --queue https://q --state s.db"), expected);
    }

    #[test]
    fn a_replay_that_went_on_is_made_again_from_its_beginning() {
        let replay = "replay --from 2025-03-14T00:00:00Z --state s.db logs";
        assert_eq!(arguments(replay), "replay --from 2025-03-14T00:00:00Z logs");
        let whole = "replay --hindsight --config a.toml logs more";
        assert_eq!(arguments(whole), whole);
    }
}
