//! Kernel -> Record: what this kernel can do, loading and attaching the kernel half, and reading its rings.
//!
//! In: the calls that rules care about. Out: records, in the order in which they happened. Promise: what the kernel half
//! saw is filtered, delivered or counted as lost; all of it goes away when the sensor is dropped.

mod arch;
mod btf;
mod config;
mod counters;
mod load;
mod preflight;
mod ring;

pub use config::Config;
pub use counters::{ClassCounts, Counters};
pub use load::{Error, Sensor};
pub use preflight::NotPossible;
pub use ring::{Batch, Reader};

#[cfg(test)]
mod smoke {
    use super::*;
    #[test]
    fn loads() {
        let mut s = Sensor::start(&Config::default(), &[holdfast_common::Call::OPENAT, holdfast_common::Call::OPEN]).map_err(|e| {
            let mut t = format!("{e}");
            let mut src: &dyn std::error::Error = &e;
            while let Some(n) = src.source() { t += &format!("\n: {n}"); src = n; }
            println!("{}", &t[t.len().saturating_sub(6000)..]);
        }).unwrap();
        std::process::Command::new("cat").arg("/etc/hostname").output().unwrap();
        let mut r = s.take_reader().unwrap();
        let mut n = 0;
        loop { let b = r.read(); n += b.records.len(); for r in &b.records { println!("{} {:?}", r.len(), &r[136.min(r.len())..]); } if !b.more { break } }
        println!("{n} {:?} {:?}", s.counters().of(holdfast_common::Class::Open), s.counters().of(holdfast_common::Class::Process));
    }
}
