"""IndexTTS-2.5 in batches: many utterances at once, each with the audio that it would get alone."""
