# A `ddsp` vocoder in three stages, each from the best model of the one before it: harder on spectra,
# lower in its learning rate; and what its copies of a test set are worth.  A project says what
# differs, and includes this.
#
# first     3e-4 to 1e-4, halved every 2000 updates; a loudness loss fades in
# second    3e-5 to 3e-6, halved every 120; less of the loudness loss
# third     1e-5 to 1e-6, halved every 80; spectra alone
#
# make            the vocoder, its scores and a page to listen to
# make stages     the three models alone
# make listen     the page alone
# make quick      all of it with a few utterances and updates, in another folder
#
# What is set of the recordings and the hours: speech.mk.  Further
#
# PRESET       of ddsp: tiny for speech, instrument for an instrument
# SOUND        Features and Corpus to train on; without them those of DATASET
TESTS ?= 10
include $(dir $(lastword $(MAKEFILE_LIST)))speech.mk

PRESET ?= tiny
MEASURES ?= mcd,f0,intonation,multiresolution
SOUND ?= $(BUILD)/train-features.h5 $(BUILD)/train-corpus.h5
FIRST_FOR ?= $(call spent,0.74,--steps 4000)
SECOND_FOR ?= $(call spent,0.15,--steps 800)
THIRD_FOR ?= $(call spent,0.11,--steps 600)
# the first stage rises to its loudness loss from update 10 to update 50 of 4000
RAMP ?= --set spectral.loudness.begin=0.0025 --set spectral.loudness.end=0.0125

rate = --set training.learning_rate=$(1) --set training.final=$(2) --set training.half_life=$(3)
stop = --set training.validate_every=$(1) --set training.patience=$(2) --set training.least_gain=$(3)
loudness = --set spectral.loudness.first=$(1) --set spectral.loudness.last=$(2)
STAGE = $(TRAIN) vocoder $(SOUND) --family ddsp --preset $(PRESET) \
	--set training.schedule=exponential

.PHONY: all stages listen quick
ifeq ($(MAKE_ALL),)
all: $(BUILD)/copies.scores.h5 $(BUILD)/listen.html
else
all: $(MAKE_ALL)
endif

stages: $(BUILD)/first.h5 $(BUILD)/second.h5 $(BUILD)/third.h5

quick:
	$(MAKE) all BUILD=$(BUILD)-quick HOURS= CORPUS='$(CORPUS) --limit 12' TESTS=2 \
		FIRST_FOR='--steps 5' SECOND_FOR='--steps 3' THIRD_FOR='--steps 2'

$(BUILD)/first.h5: $(SOUND) FORCE
	@mkdir -p $(@D)
	$(STAGE) $(call rate,3e-4,0.3333,2000) $(call loudness,0,0.05) $(RAMP) \
		$(call stop,100,10,1e-4) $(FIRST_FOR) $(RUN) -o $@

$(BUILD)/second.h5: $(BUILD)/first.h5 FORCE
	$(STAGE) $(call rate,3e-5,0.1,120) $(call loudness,0.02,0.02) \
		$(call stop,20,10,1e-5) $(SECOND_FOR) $(RUN) --init $< -o $@

$(BUILD)/third.h5: $(BUILD)/second.h5 FORCE
	$(STAGE) $(call rate,1e-5,0.1,80) $(call loudness,0,0) \
		$(call stop,20,10,1e-5) $(THIRD_FOR) $(RUN) --init $< -o $@

$(BUILD)/copies.h5: $(BUILD)/test-features.h5 $(BUILD)/third.h5 FORCE
	$(TTSKIT) vocode $< --vocoder $(BUILD)/third.h5 -o $@

# beside the copies of the source model, which needs no training
$(BUILD)/ceiling.h5: $(BUILD)/test-features.h5 FORCE
	$(TTSKIT) vocode $< --vocoder source -o $@

$(BUILD)/copies.scores.h5: $(BUILD)/test-corpus.h5 $(BUILD)/copies.h5 $(BUILD)/ceiling.h5 FORCE
	$(TTSKIT) evaluate $(wordlist 1,2,$^) --ceiling $(BUILD)/ceiling.h5 --timing plain \
		--measures $(MEASURES) -o $@

listen: $(BUILD)/listen.html
$(BUILD)/listen.html: $(BUILD)/test-corpus.h5 $(BUILD)/copies.h5 $(BUILD)/ceiling.h5 \
		$(BUILD)/copies.scores.h5 FORCE
	$(TTSKIT) report $(wordlist 1,4,$^) -o $@
