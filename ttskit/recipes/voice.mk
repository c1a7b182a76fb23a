# From recordings to a voice, and its scores on utterances that it was not trained on.  A project
# says what differs, and includes this.
#
# make            the voice, its scores and a page to listen to
# make plan       what the recordings are, and what each stage will take on this machine
# make check      what looks wrong in the recordings, before hours are spent on them
# make listen     the page alone
# make quick      all of it with a few utterances and updates, in another folder
#
# What is set of the recordings, the language and the hours: speech.mk.  Further
#
# FROM         a voice to begin from, such as kathleen: pays with less than half an hour of speech
# BATCH        utterances in a batch of the decoder; without it 16, or in hours that are given about 20
#              seconds of speech, so that long clips do not make few updates
# QUICK_TEST   glob of the test set of `make quick`; without it 2 of them at random
# QUICK_CORPUS options of `ttskit corpus` that choose the utterances of `make quick`
# PITCH_RANGE  how many times as far as predicted the pitch moves: 1.5 where f0_deviation_ratio is 0.6
# VOICE        further options of `ttskit voice pack`
include $(dir $(lastword $(MAKEFILE_LIST)))speech.mk

FROM ?=
CARD ?= card.toml
PITCH_RANGE ?=
VOICE ?=
QUICK_TEST ?=
# what is trained, and for how long
DURATION ?= --preset tiny
DECODER ?= --preset tiny
VOCODER ?= --preset tiny
BATCH ?= $(if $(HOURS),$(TWENTY_SECONDS))
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
DURATION_FOR ?= $(call spent,0.07,--steps 2000)
DECODER_FOR ?= $(call spent,0.46,--steps 2000)
SHARPEN_FOR ?= $(call spent,0.43,--steps 1400)
SPECTRA_FOR ?= --minutes 15
VOCODER_FOR ?= --minutes 60
# by these the speech of the test set is compared with its recordings, and with these through the
# vocoder; wer_base (Whisper, which knows the language) and distillmos need the extra eval
MEASURES ?= mcd,f0,intonation
QUICK_CORPUS ?= --limit 24
QUICK_DECODER ?= --steps 20
QUICK_SHARPEN ?= --steps 5
QUICK_VOCODER ?= --steps 5
# the largest share of recordings that may look odd
MOST ?= 0.5

.PHONY: all plan check listen quick
all: $(BUILD)/voice.h5 $(BUILD)/spoken/voice.scores.h5 $(BUILD)/listen.html
	@echo "$(BUILD)/voice.h5 speaks: $(TTSKIT) say --voice $(BUILD)/voice.h5 \"...\""

quick:
	$(MAKE) all BUILD=$(BUILD)-quick HOURS= CORPUS='$(CORPUS) $(QUICK_CORPUS)' TESTS=2 MOST=1 \
		TEST='$(QUICK_TEST)' ALIGNER_FOR='--steps 60' DURATION_FOR='--steps 40' \
		DECODER_FOR='$(QUICK_DECODER)' SHARPEN_FOR='$(QUICK_SHARPEN)' SPECTRA_FOR='--steps 20' \
		VOCODER_FOR='$(QUICK_VOCODER)'

# stops where most of the recordings look wrong: better now than after hours of training
CHECKED = corpus features $(filter alignment,$(DECODER_FROM:train-%=%))
$(BUILD)/odd.tsv: $(CHECKED:%=$(BUILD)/%.h5) FORCE
	$(TTSKIT) doctor $(CHECKED:%=$(BUILD)/%.h5) --page $(BUILD)/odd.html --most $(MOST) \
		--write $(BUILD)/fit.txt $(if $(filter alignment,$(CHECKED)),--lexicon $(BUILD)/odd.dict) > $@.new
	@mv $@.new $@

SPEECH = $(BUILD)/train-alignment.h5 $(BUILD)/train-features.h5

$(BUILD)/duration.h5: $(SPEECH) $(BUILD)/odd.tsv FORCE
	$(TRAIN) duration $(SPEECH) $(FROM:%=--init %) $(DURATION) \
		--set 'predict=["pitch", "loudness"]' $(DURATION_FOR) $(RUN) -o $@

FROM_DECODER = $(DECODER_FROM:%=$(BUILD)/%.h5)
ifneq ($(strip $(SHARPEN)),)
# by distances first, which leave the mel too smooth; then critics look at it too
SMOOTH := $(BUILD)/smooth.h5
$(SMOOTH): $(FROM_DECODER) $(BUILD)/odd.tsv FORCE
	$(TRAIN) decoder $(FROM_DECODER) $(FROM:%=--init %) $(BATCHES) $(DECODER) $(DECODER_FOR) $(RUN) -o $@

$(BUILD)/decoder.h5: $(FROM_DECODER) $(SMOOTH) FORCE
	$(TRAIN) decoder $(FROM_DECODER) --init $(SMOOTH) $(BATCHES) $(DECODER) $(SHARPEN) $(SHARPEN_FOR) $(RUN) -o $@
else
$(BUILD)/decoder.h5: $(FROM_DECODER) $(BUILD)/odd.tsv FORCE
	$(TRAIN) decoder $(FROM_DECODER) $(FROM:%=--init %) $(BATCHES) $(DECODER) $(DECODER_FOR) $(RUN) -o $@
endif

SOUND = $(BUILD)/train-corpus.h5 $(BUILD)/train-features.h5
ifneq ($(strip $(CRITICS)),)
# from spectra first; then critics hear it too
SPECTRA := $(BUILD)/spectra.h5
$(SPECTRA): $(SOUND) FORCE
	$(TRAIN) vocoder $(SOUND) $(VOCODER) $(SPECTRA_FOR) $(RUN) -o $@

$(BUILD)/vocoder.h5: $(SOUND) $(SPECTRA) FORCE
	$(TRAIN) vocoder $(SOUND) --init $(SPECTRA) $(VOCODER) $(CRITICS) $(VOCODER_FOR) $(RUN) -o $@
else
$(BUILD)/vocoder.h5: $(SOUND) FORCE
	$(TRAIN) vocoder $(SOUND) $(VOCODER) $(VOCODER_FOR) $(RUN) -o $@
endif

$(BUILD)/voice.h5: $(PREDICTOR) $(BUILD)/decoder.h5 \
		$(filter-out source griffinlim,$(SPEAK_BY)) $(CARD) $(LEXICON) FORCE
	$(TTSKIT) voice pack $(PREDICTOR) $(BUILD)/decoder.h5 $(SPEAK_BY) \
		--card $(CARD) $(LEXICON:%=--lexicon %) \
		$(PITCH_RANGE:%=--pitch-range %) $(VOICE) -o $@

# what the recordings themselves come to with this vocoder: no better speech can be made by it
$(BUILD)/copies.h5: $(BUILD)/test-features.h5 $(filter-out source griffinlim,$(SPEAK_BY)) FORCE
	$(TTSKIT) vocode $< --vocoder $(SPEAK_BY) -o $@

$(BUILD)/spoken/voice.scores.h5: $(BUILD)/test-tokens.h5 $(BUILD)/voice.h5 \
		$(BUILD)/test-corpus.h5 $(BUILD)/copies.h5 FORCE
	$(TTSKIT) compare $(wordlist 1,2,$^) --reference $(BUILD)/test-corpus.h5 \
		--ceiling $(BUILD)/copies.h5 --measures $(MEASURES) -o $(BUILD)/spoken

listen: $(BUILD)/listen.html
$(BUILD)/listen.html: $(BUILD)/test-corpus.h5 $(BUILD)/spoken/voice.scores.h5 FORCE
	$(TTSKIT) report $(BUILD)/test-corpus.h5 $(BUILD)/spoken/voice.h5 $(BUILD)/copies.h5 \
		$(BUILD)/spoken/voice.scores.h5 -o $@

check: $(BUILD)/odd.tsv
	@echo "$(BUILD)/odd.tsv lists what looks wrong, $(BUILD)/odd.html is to listen to it," \
		"$(BUILD)/odd.dict has words that seem to be pronounced otherwise: LEXICON=$(BUILD)/odd.dict"

plan: $(BUILD)/corpus.h5
	$(TTSKIT) info $<
	$(TTSKIT) recipe voice '$(DATASET)' --language $(LANGUAGE) $(HOURS:%=--hours %) --plan
	@echo "trainings: aligner $(ALIGNER_FOR), durations $(DURATION_FOR), decoder $(DECODER_FOR)" \
		"and with critics $(SHARPEN_FOR)"
