# bash splits words at `:` and `=`, and puts what it is given in the place of the last part. So the words are taken from the line itself,
# and what is before the last part is left out of each answer.
_VAR_callgate() {
    local line="${COMP_LINE:0:COMP_POINT}" words word prefix
    read -ra words <<< "$line"
    [[ "$line" == *[[:space:]] ]] && words+=("")
    word="${words[-1]}"
    prefix="${word%"${word##*[:=]}"}"
    mapfile -t COMPREPLY < <(
        VAR=bash _CLAP_IFS=$'\n' _CLAP_COMPLETE_INDEX=$(( ${#words[@]} - 1 )) COMPLETER -- "${words[@]}" 2> /dev/null
    )
    COMPREPLY=("${COMPREPLY[@]#"$prefix"}")
    [[ "${#COMPREPLY[@]}" == 1 && "${COMPREPLY[0]}" == *= ]] && compopt -o nospace 2> /dev/null
    return 0
}
complete -o bashdefault -F _VAR_callgate BIN
