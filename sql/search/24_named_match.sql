-- a feature that is equivalent to the target's feature of its name (Def. 3)
FROM named_similarity
WHERE jaccard > (SELECT options.min_jaccard FROM options)
