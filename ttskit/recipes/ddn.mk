# A decoder of discrete distribution networks beside `feedforward` and `glow` of equal time, takes of
# it, and a word of each recording spoken anew.  A project says what differs, and includes this.
#
# make            all of it
# make equal      the table of the three decoders
# make takes      takes of the texts of the test set
# make inpainted  the word WORD of each recording of the test set, spoken anew, and its scores
# make try        all of it with a few utterances and updates, in another folder
#
# What is set of the recordings, the language and the hours: speech.mk.  Further
#
# TAKES        of each text
# WORD         the number of the word that is spoken anew
# MEASURES     wer_base (Whisper, which knows the language) and distillmos need the extra eval
EQUAL_FOR ?= $(call spent,0.3,--minutes 90)
DURATION_FOR ?= $(call spent,0.06,--steps 2000)
include $(dir $(lastword $(MAKEFILE_LIST)))voice.mk

WORD ?= 2
TAKES ?= 8

.DEFAULT_GOAL := ddn
.PHONY: ddn takes inpainted equal try
ddn: takes inpainted equal
try:
	$(MAKE) $(.DEFAULT_GOAL) BUILD=$(BUILD)-quick HOURS= CORPUS='$(CORPUS) $(QUICK_CORPUS)' TESTS=2 \
		TEST='$(QUICK_TEST)' MOST=1 ALIGNER_FOR='--steps 60' DURATION_FOR='--steps 40' \
		EQUAL_FOR='--steps 3' TAKES=2 MEASURES=mcd $(QUICK_MORE)

TESTED = $(BUILD)/test-features.h5 $(BUILD)/test-alignment.h5

# of equal training time, with the same durations and vocoder
SETTINGS_ddn := --family ddn --preset tiny
SETTINGS_feedforward := --family feedforward --preset tiny --set hidden=192 --set layers=6
SETTINGS_glow := --family glow --preset tiny
RIVALS := ddn feedforward glow

$(RIVALS:%=$(BUILD)/%.h5): $(BUILD)/%.h5: $(SPEECH) $(BUILD)/odd.tsv FORCE
	$(TRAIN) decoder $(SPEECH) $(SETTINGS_$*) $(EQUAL_FOR) $(RUN) -o $@

equal: $(BUILD)/equal.md
$(BUILD)/equal.md: $(BUILD)/test-tokens.h5 $(BUILD)/duration.h5 $(RIVALS:%=$(BUILD)/%.h5) \
		$(BUILD)/test-corpus.h5 $(BUILD)/copies.h5 FORCE
	$(TTSKIT) compare $(wordlist 1,5,$^) source --reference $(BUILD)/test-corpus.h5 \
		--ceiling $(BUILD)/copies.h5 --measures $(MEASURES) --markdown -o $(BUILD)/equal > $@.new
	@mv $@.new $@

takes: $(BUILD)/take-1.h5
$(BUILD)/take-1.h5: $(BUILD)/test-tokens.h5 $(BUILD)/duration.h5 $(BUILD)/ddn.h5 FORCE
	$(TTSKIT) decode $< --duration $(BUILD)/duration.h5 --decoder $(BUILD)/ddn.h5 \
		--takes $(TAKES) -o '$(BUILD)/take-{n}.h5'

inpainted: $(BUILD)/inpainted.scores.h5
$(BUILD)/inpainted.h5: $(TESTED) $(BUILD)/ddn.h5 FORCE
	$(TTSKIT) decode $(TESTED) --decoder $(BUILD)/ddn.h5 --inpaint $(WORD) -o $@

$(BUILD)/inpainted.spoken.h5: $(BUILD)/inpainted.h5 FORCE
	$(TTSKIT) vocode $< --vocoder $(SPEAK_BY) -o $@

$(BUILD)/inpainted.scores.h5: $(BUILD)/test-corpus.h5 $(BUILD)/inpainted.spoken.h5 FORCE
	$(TTSKIT) evaluate $(wordlist 1,2,$^) --measures $(MEASURES) -o $@
