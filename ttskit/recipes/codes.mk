# A voice by codes: a codec, the codes of a training set, the states of a coder that draws codes
# itself, a decoder of these, and the voice.  Other recipes include this: they say how long codec and
# decoder are trained (CODEC_FOR, DECODER_FOR), and make duration.h5 and coder.h5.
#
# CODEC        options of `ttskit train codec`
# BOOKS        of the codec, that the coder predicts; of later ones hardly anything follows from text
# DECODER      family and settings of the decoder of latents
# BATCH        utterances in a batch of coder and decoder; without it about 20 seconds of speech
# VOCODER      that makes mels audio
include $(dir $(lastword $(MAKEFILE_LIST)))speech.mk

CARD ?= card.toml
CODEC ?= --family rvq --set stride=4
BOOKS ?= 2
DECODER ?= --family feedforward --set adversary.from_progress=0.6
BATCH ?= $(TWENTY_SECONDS)
VOCODER ?= source
QUICK_CORPUS ?= --limit 24
QUICK_TEST ?=

SPEECH = $(BUILD)/train-features.h5 $(BUILD)/train-alignment.h5
CODED = $(SPEECH) $(BUILD)/train-codes.h5
MODELS = $(BUILD)/duration.h5 $(BUILD)/coder.h5 $(BUILD)/decoder.h5

$(BUILD)/codec.h5: $(BUILD)/train-features.h5 FORCE
	$(TRAIN) codec $< $(CODEC) $(CODEC_FOR) $(RUN) -o $@

$(BUILD)/train-codes.h5: $(SPEECH) $(BUILD)/codec.h5 FORCE
	$(TTSKIT) encode $(SPEECH) --codec $(BUILD)/codec.h5 --books $(BOOKS) -o $@

# the states of the coder beside the codes that it draws itself, as when it speaks
$(BUILD)/latents.h5: $(SPEECH) $(BUILD)/codec.h5 $(BUILD)/coder.h5 FORCE
	$(TTSKIT) encode $(SPEECH) --codec $(BUILD)/codec.h5 --coder $(BUILD)/coder.h5 --drawn 1 -o $@

$(BUILD)/decoder.h5: $(BUILD)/latents.h5 $(BUILD)/train-features.h5 FORCE
	$(TRAIN) decoder $(wordlist 1,2,$^) --preset tiny --set source=latents $(BATCHES) $(DECODER) \
		$(DECODER_FOR) $(RUN) -o $@

$(BUILD)/voice.h5: $(MODELS) $(CARD) $(LEXICON) FORCE
	$(TTSKIT) voice pack $(MODELS) $(VOCODER) --card $(CARD) $(LEXICON:%=--lexicon %) -o $@
