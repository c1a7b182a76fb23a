#!/bin/sh -e
# Submit all stages up to an alignment, each after those that it needs:
#   DATASET=/path/to/recordings ALIGNER=aligner.h5 SHARDS=100 sh submit.sh
# FEATURES are options of features, such as "--crepe tiny".
export SHARDS="${SHARDS:-100}"
build=${BUILD:-build}
here=$(dirname "$0")
mkdir -p "$build"

# stage NAME JOB,... WORD...: one task a shard, then one job that merges them
stage() {
	name=$1 after=${2:+--dependency=afterok:$2}; shift 2
	array=$(sbatch --parsable $after --job-name "$name" --array "1-$SHARDS" \
		"$here/shard.sbatch" "$build/$name" "$@")
	rest=$(seq -f "$build/$name-%g.h5" "$SHARDS" | tr '\n' ' ')
	sbatch --parsable --dependency="afterok:$array" --job-name "merge-$name" \
		--wrap "${TTSKIT:-ttskit} merge $rest -o $build/$name.h5"
}

corpus=$(stage corpus "" corpus "${DATASET:?the folder of recordings}")
features=$(stage features "$corpus" features "$build/corpus.h5" $FEATURES)
tokens=$(stage tokens "$corpus" tokens "$build/corpus.h5")
stage alignment "$features:$tokens" align "$build/features.h5" "$build/tokens.h5" \
	--aligner "${ALIGNER:-flat}"
