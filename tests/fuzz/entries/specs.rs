#![no_main]

toolwright_fuzz::entry!("specs");
