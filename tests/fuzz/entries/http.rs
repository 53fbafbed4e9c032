#![no_main]

toolwright_fuzz::entry!("http");
