//! What groups of entities have taught: the priors of their members, as generations like everything else.

use baseline::{ClosedDay, Day, Entity, Gathered, History, Kind, N_PRIORS, form, stable_hash};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Whose habits are a prior for whom. What is left open does not matter: a group without a role holds
/// all of its kind, one without a kind the whole account, one without an account the organisation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Group {
    account: Option<Arc<str>>,
    kind: Option<Kind>,
    role: Option<Arc<str>>,
}

impl Group {
    /// The nearest group of an entity: those who wear the same role, if it is a role's session.
    pub(crate) fn of(entity: &Entity) -> Self {
        let role = entity.key.split_once('#').map(|(role, _)| role.into());
        Self { account: Some(Arc::clone(&entity.account)), kind: Some(entity.kind), role }
    }

    /// The next wider group, until there is none. Network interfaces have nothing in common with those
    /// who call AWS.
    fn wider(&self) -> Option<Self> {
        match self {
            Self { role: Some(_), .. } => Some(Self { role: None, ..self.clone() }),
            Self { kind: Some(Kind::Interface), .. } => None,
            Self { kind: Some(_), .. } => Some(Self { kind: None, ..self.clone() }),
            Self { account: Some(_), .. } => Some(Self { account: None, kind: None, role: None }),
            _ => None,
        }
    }

    /// An id that is equal for ever.
    pub(crate) fn id(&self) -> u128 {
        let (account, kind) = (self.account.as_deref(), self.kind.map(Kind::name));
        let fields = [account, kind, self.role.as_deref()];
        // What is left open is told from what is empty by how many fields there are.
        let fields: Vec<_> = fields.into_iter().flatten().map(str::as_bytes).collect();
        stable_hash(&fields)
    }

    /// Its place among the priors of a member.
    fn level(&self) -> usize {
        match self {
            Self { role: Some(_), .. } => 0,
            Self { kind: Some(_), .. } => 1,
            Self { account: Some(_), .. } => 2,
            _ => 3,
        }
    }
}

form! {
    Group { account, kind, role }
}

/// The histories of all groups.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Priors {
    by_group: BTreeMap<Group, History>,
    nothing: History,
}

impl Priors {
    /// The priors of the members of `nearest`; nothing where there is no such group.
    pub(crate) fn of(&self, nearest: &Group) -> [&History; N_PRIORS] {
        let mut priors = [&self.nothing; N_PRIORS];
        let mut next = Some(nearest.clone());
        while let Some(group) = next {
            if let (Some(prior), Some(history)) =
                (priors.get_mut(group.level()), self.by_group.get(&group))
            {
                *prior = history;
            }
            next = group.wider();
        }
        priors
    }

    /// Days up to `through` with records of those of the kind of `entity` in its account.
    pub(crate) fn n_days(&self, entity: &Entity, through: Day) -> u32 {
        let (account, kind) = (Some(Arc::clone(&entity.account)), Some(entity.kind));
        let kind = Group { account, kind, role: None };
        self.by_group.get(&kind).map_or(0, |history| history.n_days(through))
    }

    /// Adds what the members of groups were taught on `day`, to these and all wider ones, which are
    /// answered.
    pub(crate) fn learn(
        &mut self,
        day: Day,
        mut taught: BTreeMap<Group, Gathered>,
    ) -> BTreeSet<Group> {
        let mut learned = BTreeSet::new();
        each_group(&mut taught, &mut |group, closed| {
            learned.insert(group.clone());
            self.by_group.entry(group).or_default().close(day, closed);
        });
        learned
    }

    /// The history of a group.
    pub(crate) fn get(&self, group: &Group) -> Option<&History> {
        self.by_group.get(group)
    }

    /// What the days of all entities have taught their groups, for generations that are read so many days
    /// after their last.
    pub(crate) fn in_hindsight(taught: BTreeMap<Day, BTreeMap<Group, Gathered>>, lag: i32) -> Self {
        let mut by_group: BTreeMap<Group, BTreeMap<Day, ClosedDay>> = BTreeMap::new();
        for (day, mut taught) in taught {
            each_group(&mut taught, &mut |group, closed| {
                by_group.entry(group).or_default().insert(day, closed.clone());
            });
        }
        let histories = by_group.into_iter();
        let histories = histories.map(|(group, days)| (group, History::in_hindsight(days, lag)));
        Self { by_group: histories.collect(), nothing: History::default() }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Group, &History)> {
        self.by_group.iter()
    }

    /// Takes back the history of a group.
    pub(crate) fn recall(&mut self, group: Group, history: History) {
        self.by_group.insert(group, history);
    }

    pub(crate) fn prepare(&mut self, through: Day) {
        self.by_group.values_mut().for_each(|history| history.prepare(through));
    }

    /// The same for the members of `nearest` only.
    pub(crate) fn prepare_for(&mut self, nearest: Group, through: Day) {
        let mut next = Some(nearest);
        while let Some(group) = next {
            if let Some(history) = self.by_group.get_mut(&group) {
                history.prepare(through);
            }
            next = group.wider();
        }
    }

    pub(crate) fn advance(&mut self, through: Day) {
        self.by_group.values_mut().for_each(|history| history.merge(through));
    }
}

/// What groups and all wider ones were taught on a day, by what the nearest groups were.
fn each_group(taught: &mut BTreeMap<Group, Gathered>, visit: &mut dyn FnMut(Group, &ClosedDay)) {
    for level in 0..N_PRIORS {
        let is_here = |group: &Group, _: &mut Gathered| group.level() == level;
        let here: Vec<_> = taught.extract_if(.., is_here).collect();
        for (group, gathered) in here {
            let (wider, closed) = (group.wider(), gathered.finish());
            visit(group, &closed);
            if let Some(wider) = wider {
                taught.entry(wider).or_default().add(closed);
            }
        }
    }
}
