//! All devices of a group together, or all that an interface carries.

use jiff::civil::Date;

use super::{
    activity::Activity,
    alerts::DeviceRef,
    event::SubjectKind,
    history::interface_id,
    policy::{Policy, Rules},
    view::TotalView,
};

/// Several devices together, held to rules of their own.
#[derive(Clone, Debug)]
pub(super) struct Total {
    /// Differs from that of any device.
    pub(super) id: String,
    name: String,
    kind: SubjectKind,
    pub(super) activity: Activity,
    /// Changed since the last checkpoint.
    pub(super) is_unsaved: bool,
}

impl Total {
    /// Nothing counted yet.
    fn new(kind: SubjectKind, name: &str, rules: Rules, day: Date) -> Self {
        let id = match kind {
            SubjectKind::Interface => interface_id(name),
            SubjectKind::Group | SubjectKind::Device => format!("group:{name}"),
        };
        let mut activity = Activity::on(day);
        activity.hold_to(rules);
        activity.start_learning();
        Self {
            id,
            name: name.to_owned(),
            kind,
            activity,
            is_unsaved: false,
        }
    }

    /// How readers see it.
    pub(super) fn view(&self) -> TotalView {
        let quota = self.activity.rules().quota();
        TotalView {
            id: self.id.clone(),
            cycle: quota.map(|_| self.activity.cycle_view()),
        }
    }

    /// What an alert keeps of it.
    pub(super) fn reference(&self) -> DeviceRef<'_> {
        DeviceRef {
            id: &self.id,
            name: &self.name,
            kind: self.kind,
            group: (self.kind == SubjectKind::Group).then_some(&self.name),
            mac: None,
            addresses: &[],
        }
    }
}

/// Groups and interfaces that have rules as a whole.
#[derive(Clone, Debug, Default)]
pub(super) struct Totals(Vec<Total>);

impl Totals {
    /// Takes in another policy. Returns the ids of those that are not held to any rule now.
    pub(super) fn apply(&mut self, policy: &Policy, day: Date) -> Vec<String> {
        let groups = policy.groups.keys().filter_map(|name| {
            let rules = policy.group_rules(name)?;
            Some((SubjectKind::Group, name, rules))
        });
        let interfaces = policy.interfaces.keys().filter_map(|name| {
            let rules = policy.interface_rules(name)?;
            Some((SubjectKind::Interface, name, rules))
        });
        let mut old = std::mem::take(&mut self.0);
        for (kind, name, rules) in groups.chain(interfaces) {
            let known = old
                .iter()
                .position(|total| total.kind == kind && total.name == *name);
            self.0.push(match known {
                Some(place) => {
                    let mut total = old.swap_remove(place);
                    total.activity.hold_to(rules);
                    total
                }
                None => Total::new(kind, name, rules, day),
            });
        }
        old.into_iter().map(|total| total.id).collect()
    }

    /// The total of a group, if it has one.
    pub(super) fn group(&mut self, name: &str) -> Option<&mut Total> {
        self.find(SubjectKind::Group, name)
    }

    /// The total of an interface, if it has one.
    pub(super) fn interface(&mut self, name: &str) -> Option<&mut Total> {
        self.find(SubjectKind::Interface, name)
    }

    /// The one with this id.
    pub(super) fn by_id(&mut self, id: &str) -> Option<&mut Total> {
        self.0.iter_mut().find(|total| total.id == id)
    }

    /// How readers see them.
    pub(super) fn views(&self) -> Vec<TotalView> {
        self.0.iter().map(Total::view).collect()
    }

    /// All of them.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Total> {
        self.0.iter_mut()
    }

    fn find(&mut self, kind: SubjectKind, name: &str) -> Option<&mut Total> {
        self.0
            .iter_mut()
            .find(|total| total.kind == kind && total.name == name)
    }
}
