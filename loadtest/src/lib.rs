//! The load harness: fleets of terminals and acquirer links that speak ISO 8583 over TLS.
//!
//! [`Fleet`] runs a [`Plan`] and tells the [`Outcome`], the terminals' [`Book`] among it; [`LiveStats`] shows it meanwhile.
//! [`Client`] sends one message. Never judges the switch: it measures, and writes down what terminals believe.
//! Guards: an open load keeps its own time (no coordinated omission); terminals keep the rules of their trade, so that the
//! books can agree.
//!
//! ```no_run
//! use loadtest::{Fleet, FleetConfig, LiveStats, Load, Plan};
//! let config = FleetConfig::new(vec!["127.0.0.1:7001".parse().unwrap()], None, "iso87-ascii");
//! let plan = Plan::new(Load::Closed { in_flight: 1 }, std::time::Duration::from_secs(5));
//! let outcome = Fleet::new(config).unwrap().run(&plan, LiveStats::default().into()).unwrap();
//! println!("{:.0} per second, p99 {} µs", outcome.tps, outcome.latency_us.p99);
//! ```

mod book;
mod cards;
mod client;
mod config;
mod descriptors;
mod fleet;
mod lane;
mod outcome;
mod run;
mod stats;
mod template;
mod thread;
mod tls;
mod wire;

pub use book::Book;
pub use client::{Client, ClientFault};
pub use config::{FleetConfig, FleetFault, Load, Mix, Plan, Tls};
pub use descriptors::connections_that_fit;
pub use fleet::{Fleet, Stop};
pub use outcome::{Ended, Latency, Outcome};
pub use stats::{LiveStats, Phase};
