"use strict";

/* Sound that is played while more of it comes: lines one after the other, by the Web Audio API. */
class Stream {
  constructor() {
    this.context = new AudioContext();
    this.lines = []; // {buffer, start} in seconds of the speech
    this.playing = []; // {source, at, start, seconds}: what is scheduled, by the context's clock
    this.seconds = 0;
    this.closed = false;
  }

  /* Begin, which browsers may refuse where nobody has clicked; return whether it sounds. */
  async begin() {
    await Promise.race([this.context.resume(), new Promise((done) => setTimeout(done, 300))]);
    return this.context.state === "running";
  }

  add(samples, rate) {
    if (!samples.length) return;
    const buffer = this.context.createBuffer(1, samples.length, rate);
    buffer.copyToChannel(samples, 0);
    const line = { buffer, start: this.seconds };
    this.lines.push(line);
    this.seconds += samples.length / rate;
    if (!this.closed) this.schedule(line);
  }

  schedule(line, offset = 0) {
    const source = this.context.createBufferSource();
    source.buffer = line.buffer;
    source.connect(this.context.destination);
    const last = this.playing.at(-1);
    const soonest = this.context.currentTime + 0.05;
    const at = Math.max(soonest, last ? last.at + last.seconds : 0);
    const seconds = line.buffer.duration - offset;
    source.start(at, offset);
    this.playing.push({ source, at, start: line.start + offset, seconds });
  }

  /* Go on from another place of what has come. */
  seek(time) {
    this.silence();
    for (const line of this.lines) {
      const offset = Math.max(0, time - line.start);
      if (offset < line.buffer.duration) this.schedule(line, offset);
    }
  }

  /* Seconds of the speech that have been heard. */
  get now() {
    const clock = this.context.currentTime;
    const part = this.playing.findLast(({ at }) => at <= clock) ?? this.playing[0];
    return part ? part.start + Math.min(Math.max(0, clock - part.at), part.seconds) : this.seconds;
  }

  silence() {
    for (const { source } of this.playing.splice(0)) source.stop();
  }

  close() {
    if (this.closed) return;
    this.closed = true;
    this.silence();
    this.context.close();
  }
}
