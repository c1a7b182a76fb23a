# From recordings to a voice, and its scores on utterances that it was not trained on.  An example
# says what differs, and includes this.  Every target is a file: a run that was killed continues when
# make is called again, and `make -j` is safe (but two trainings at once share the cores).
#
# DATASET      the folder of the recordings, in any layout that `ttskit corpus` knows
# LANGUAGE     that of the texts, if it is not English: `ttskit languages`
# CORPUS       further options of `ttskit corpus`
# FEATURES     further options of `ttskit features`
# LEXICON      file of words and their phonemes, if there is one
# VOICE        further options of `ttskit voice pack`
# TEST         glob of the utterances of the test set
# QUICK_TEST   glob of those among the ones that `make quick` takes
# QUICK_CORPUS options of `ttskit corpus` that choose these
TTSKIT ?= ttskit
BUILD ?= build
CORPUS ?=
LANGUAGE ?=
CARD ?= card.toml
FEATURES ?=
LEXICON ?=
VOICE ?=
DEVICE ?= cpu
# what is trained, and for how long
ALIGNER ?=
DURATION ?= --preset tiny
DECODER ?= --preset tiny
VOCODER ?= --preset tiny
# what the decoder is trained on, and what predicts durations: nothing, where the decoder does
DECODER_FROM ?= train-alignment train-features
PREDICTOR ?= $(BUILD)/duration.h5
# what the voice speaks by: source, which needs no training, or $(BUILD)/vocoder.h5
SPEAK_BY ?= source
# what differs once critics play against decoder or vocoder; empty: it is trained once, as it is
SHARPEN ?= --set adversary.from_progress=0.0 --set training.learning_rate=4e-4 \
	--set training.beta1=0.8 --set training.final=0.1
CRITICS ?= --set adversary.from_progress=0.0 --set training.batch=8 \
	--set training.learning_rate=2e-4 --set training.final=0.1
ALIGNER_FOR ?= --steps 1000
DURATION_FOR ?= --steps 2000
DECODER_FOR ?= --steps 2000
SHARPEN_FOR ?= --steps 1400
SPECTRA_FOR ?= --minutes 15
VOCODER_FOR ?= --minutes 60
MEASURES ?= mcd,f0
QUICK_CORPUS ?= --limit 24
QUICK_DECODER ?= --steps 20
QUICK_SHARPEN ?= --steps 5
QUICK_VOCODER ?= --steps 5

.DELETE_ON_ERROR:
.PHONY: all quick clean
all: $(BUILD)/voice.h5 $(BUILD)/spoken/voice.scores.h5

quick:
	$(MAKE) all BUILD=$(BUILD)-quick CORPUS='$(CORPUS) $(QUICK_CORPUS)' TEST='$(QUICK_TEST)' \
		ALIGNER_FOR='--steps 60' DURATION_FOR='--steps 40' DECODER_FOR='$(QUICK_DECODER)' \
		SHARPEN_FOR='$(QUICK_SHARPEN)' SPECTRA_FOR='--steps 20' VOCODER_FOR='$(QUICK_VOCODER)'

$(BUILD):
	mkdir -p $@

$(BUILD)/corpus.h5: | $(BUILD)
	$(TTSKIT) corpus $(DATASET) $(CORPUS) -o $@

$(BUILD)/features.h5: $(BUILD)/corpus.h5
	$(TTSKIT) features $< $(FEATURES) -o $@

$(BUILD)/tokens.h5: $(BUILD)/corpus.h5
	$(TTSKIT) tokens $< $(LANGUAGE:%=--language %) $(LEXICON:%=--lexicon %) -o $@

# what is tested on is never trained on
$(BUILD)/train-%.h5: $(BUILD)/%.h5
	$(TTSKIT) select $< --glob '$(TEST)' --others -o $@

$(BUILD)/test-%.h5: $(BUILD)/%.h5
	$(TTSKIT) select $< --glob '$(TEST)' -o $@

$(BUILD)/aligner.h5: $(BUILD)/train-features.h5 $(BUILD)/train-tokens.h5
	$(TTSKIT) train aligner $^ $(ALIGNER) $(ALIGNER_FOR) --device $(DEVICE) -o $@

$(BUILD)/alignment.h5: $(BUILD)/features.h5 $(BUILD)/tokens.h5 $(BUILD)/aligner.h5
	$(TTSKIT) align $(BUILD)/features.h5 $(BUILD)/tokens.h5 --aligner $(BUILD)/aligner.h5 -o $@

$(BUILD)/duration.h5: $(BUILD)/train-alignment.h5 $(BUILD)/train-features.h5
	$(TTSKIT) train duration $^ $(DURATION) --set 'predict=["pitch", "loudness"]' \
		$(DURATION_FOR) --device $(DEVICE) -o $@

ifneq ($(strip $(SHARPEN)),)
# by distances first, which leave the mel too smooth; then critics look at it too
SMOOTH := $(BUILD)/smooth.h5
$(SMOOTH): $(DECODER_FROM:%=$(BUILD)/%.h5)
	$(TTSKIT) train decoder $^ $(DECODER) $(DECODER_FOR) --device $(DEVICE) -o $@

$(BUILD)/decoder.h5: $(DECODER_FROM:%=$(BUILD)/%.h5) $(SMOOTH)
	$(TTSKIT) train decoder $(wordlist 1,2,$^) --init $(SMOOTH) $(DECODER) $(SHARPEN) \
		$(SHARPEN_FOR) --device $(DEVICE) -o $@
else
$(BUILD)/decoder.h5: $(DECODER_FROM:%=$(BUILD)/%.h5)
	$(TTSKIT) train decoder $^ $(DECODER) $(DECODER_FOR) --device $(DEVICE) -o $@
endif

ifneq ($(strip $(CRITICS)),)
# from spectra first; then critics hear it too
SPECTRA := $(BUILD)/spectra.h5
$(SPECTRA): $(BUILD)/train-corpus.h5 $(BUILD)/train-features.h5
	$(TTSKIT) train vocoder $^ $(VOCODER) $(SPECTRA_FOR) --device $(DEVICE) -o $@

$(BUILD)/vocoder.h5: $(BUILD)/train-corpus.h5 $(BUILD)/train-features.h5 $(SPECTRA)
	$(TTSKIT) train vocoder $(wordlist 1,2,$^) --init $(SPECTRA) $(VOCODER) $(CRITICS) \
		$(VOCODER_FOR) --device $(DEVICE) -o $@
else
$(BUILD)/vocoder.h5: $(BUILD)/train-corpus.h5 $(BUILD)/train-features.h5
	$(TTSKIT) train vocoder $^ $(VOCODER) $(VOCODER_FOR) --device $(DEVICE) -o $@
endif

$(BUILD)/voice.h5: $(PREDICTOR) $(BUILD)/decoder.h5 \
		$(filter-out source griffinlim,$(SPEAK_BY)) $(CARD) $(LEXICON)
	$(TTSKIT) voice pack $(PREDICTOR) $(BUILD)/decoder.h5 $(SPEAK_BY) \
		--card $(CARD) $(LEXICON:%=--lexicon %) $(VOICE) -o $@

$(BUILD)/spoken/voice.scores.h5: $(BUILD)/test-tokens.h5 $(BUILD)/voice.h5 $(BUILD)/test-corpus.h5
	$(TTSKIT) compare $(wordlist 1,2,$^) --reference $(BUILD)/test-corpus.h5 \
		--measures $(MEASURES) -o $(BUILD)/spoken

clean:
	rm -rf $(BUILD) $(BUILD)-quick
