# The Tortoise chain: durations with pitch and loudness, a coder in both orders and a ranker, before a
# decoder of latents; and what candidates and rankers are worth, one table each.  A project says what
# differs, and includes this.
#
# make            the voice and the tables
# make quick      all of it with a few utterances and updates, in another folder
#
# What is set of the recordings, the language and the hours: speech.mk; of the codec, the decoder and
# the batches: codes.mk.  Further
#
# LENGTH       of each training but that of the aligner
# CODER        settings of the coder, in both orders
# CANDIDATES   how many takes of each text there are to choose between
# RANKERS      what chooses; heard needs the extra eval
# MEASURES     wer_base (Whisper, which knows the language) and distillmos need the extra eval
include $(dir $(lastword $(MAKEFILE_LIST)))codes.mk

LENGTH ?= $(call spent,0.16,--minutes 30)
CODER ?= --set causal.hidden=192 --set causal.heads=3 --set causal.filter=512 \
	--set causal.dropout=0.25 --set encoder.dropout=0.2 --set corrupt=0.3 --set training.ema=0.99
CODEC_FOR = $(LENGTH)
DECODER_FOR = $(LENGTH)
JOBS ?= 1
CANDIDATES ?= 1 2 4 8
RANKERS ?= align clvp duration
MEASURES ?= mcd,rtf
# the aligner judges where a word is lost; where a corpus is too small for one, FAULTS= leaves it out
FAULTS ?= --judge $(BUILD)/aligner.h5
FREE ?= $(BUILD)/concatenated.md

.PHONY: all quick
all: $(foreach count,$(CANDIDATES),$(RANKERS:%=$(BUILD)/%-$(count).md)) $(FREE)

# every word is lost in the speech of models of five updates: nothing judges that here
quick:
	$(MAKE) all BUILD=$(BUILD)-quick HOURS= CORPUS='$(CORPUS) $(QUICK_CORPUS)' TESTS=2 \
		TEST='$(QUICK_TEST)' CANDIDATES='1 2' RANKERS=clvp ALIGNER_FOR='--steps 60' \
		LENGTH='--steps 5' MEASURES=rtf FAULTS= FREE=$(BUILD)-quick/concatenated.h5

$(BUILD)/duration.h5: $(SPEECH) FORCE
	$(TRAIN) duration $(SPEECH) --preset tiny --set 'predict=["pitch", "loudness"]' \
		$(LENGTH) $(RUN) -o $@

$(BUILD)/coder.h5: $(CODED) FORCE
	$(TRAIN) coder $(CODED) --preset tiny --set prosody=true $(BATCHES) $(CODER) $(LENGTH) \
		$(RUN) -o $@

$(BUILD)/concatenated.h5: $(CODED) FORCE
	$(TRAIN) coder $(wordlist 2,3,$^) --preset tiny --set order=concatenated $(BATCHES) $(CODER) \
		$(LENGTH) $(RUN) -o $@

$(BUILD)/clvp.h5: $(CODED) FORCE
	$(TRAIN) ranker $(wordlist 2,3,$^) $(LENGTH) $(RUN) -o $@

TEXTS = $(BUILD)/test-tokens.h5
JUDGES_clvp = --judge $(BUILD)/clvp.h5
$(BUILD)/%.md: $(BUILD)/voice.h5 $(BUILD)/aligner.h5 $(BUILD)/clvp.h5 $(TEXTS) FORCE
	$(TTSKIT) compare $< $(TEXTS) --rank $(word 1,$(subst -, ,$*)) $(FAULTS) \
		$(JUDGES_$(word 1,$(subst -, ,$*))) --candidates $(word 2,$(subst -, ,$*)) --skip-bad \
		--measures $(MEASURES) -j $(JOBS) -o $(BUILD)/$* --markdown > $@.new
	@mv $@.new $@
	cat $@

# all text, then all speech: the aligner says when it spoke which word
FREELY = $(BUILD)/concatenated.h5 $(BUILD)/codec.h5 $(BUILD)/aligner.h5 $(TEXTS)
$(BUILD)/concatenated.md: $(FREELY) FORCE
	$(TTSKIT) compare $(FREELY) $(VOCODER) --candidates 8 --skip-bad --measures $(MEASURES) \
		-j $(JOBS) -o $(BUILD)/concatenated --markdown > $@.new
	@mv $@.new $@
	cat $@
