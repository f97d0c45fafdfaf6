//! A video file as a robot's foreign camera: made once, sent as RTP by FFmpeg, recognised on the operator's screen.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, bail};

use crate::process::Process;

/// How the film goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sending {
    /// The file's H.264 as it is.
    H264AsItIs,
    /// Encoded anew as VP8.
    Vp8,
}

/// A film of four seconds that is green and blue by turns, with a moving pattern: no simulated camera looks like it.
#[derive(Debug)]
pub struct Film {
    file: PathBuf,
    logs: PathBuf,
}

impl Film {
    /// Makes the file in `folder`.
    pub fn make(folder: &Path) -> Result<Self> {
        // A transport stream carries the parameter sets before each key frame, where a camera would send them too.
        let file = folder.join("film.ts");
        let picture = "color=c=0x109030:s=640x360:r=30:d=2[green];
            color=c=0x1040c0:s=640x360:r=30:d=2[blue];
            testsrc2=s=160x90:r=30:d=4[pattern];
            [green][blue]concat=n=2[ground];
            [ground][pattern]overlay=x=mod(t*100\\,480):y=0";
        let output = Command::new("ffmpeg")
            .args(["-hide_banner", "-loglevel", "error", "-y"])
            .args(["-filter_complex", picture, "-pix_fmt", "yuv420p"])
            .args(["-c:v", "libx264", "-profile:v", "baseline", "-g", "30"])
            .arg(&file)
            .output()?;
        if !output.status.success() {
            bail!(
                "no film was made: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(Self {
            file,
            logs: folder.join("logs"),
        })
    }

    /// Sends the film to a camera's port in real time, over and over.
    pub fn send(&self, sending: Sending, to: SocketAddr) -> Result<Process> {
        let mut command = Command::new("ffmpeg");
        command
            .args(["-hide_banner", "-loglevel", "warning"])
            .args(["-re", "-stream_loop", "-1", "-i"])
            .arg(&self.file)
            .arg("-an");
        let name = match sending {
            Sending::H264AsItIs => {
                command.args(["-c:v", "copy"]);
                "film-h264"
            }
            Sending::Vp8 => {
                command
                    .args(["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8"])
                    .args(["-b:v", "800k", "-g", "30"]);
                "film-vp8"
            }
        };
        command
            .args(["-f", "rtp"])
            .arg(format!("rtp://{to}?pkt_size=1200"));
        Process::start(name, command, &self.logs)
    }
}
