lib: rec {
  inherit (builtins)
    all
    any
    concatLists
    concatMap
    elem
    elemAt
    filter
    foldl'
    genList
    groupBy
    head
    isList
    length
    map
    partition
    sort
    tail
    ;
  toList = x: if builtins.isList x then x else [ x ];
  singleton = x: [ x ];
  forEach = xs: f: map f xs;
  optional = condition: x: if condition then [ x ] else [ ];
  optionals = condition: xs: if condition then xs else [ ];
  flatten = x: if builtins.isList x then concatMap flatten x else [ x ];
  imap0 = f: xs: genList (n: f n (elemAt xs n)) (length xs);
  imap1 = f: xs: genList (n: f (n + 1) (elemAt xs n)) (length xs);
  range = first: last: if first > last then [ ] else genList (n: first + n) (last - first + 1);
  last = xs: elemAt xs (length xs - 1);
  init = xs: genList (elemAt xs) (length xs - 1);
  take = n: xs: genList (elemAt xs) (lib.min n (length xs));
  drop = n: xs: genList (i: elemAt xs (i + n)) (lib.max 0 (length xs - n));
  reverseList = xs: genList (n: elemAt xs (length xs - n - 1)) (length xs);
  remove = x: filter (y: y != x);
  subtractLists = gone: filter (x: !elem x gone);
  intersectLists = wanted: filter (x: elem x wanted);
  unique = foldl' (seen: x: if elem x seen then seen else seen ++ [ x ]) [ ];
  count = test: xs: length (filter test xs);
  findFirst =
    test: default: xs:
    let
      found = filter test xs;
    in
    if found == [ ] then default else head found;
  foldr =
    f: initial: xs:
    let
      go = n: if n == length xs then initial else f (elemAt xs n) (go (n + 1));
    in
    go 0;
  fold = foldr;
  zipListsWith =
    f: as: bs:
    genList (n: f (elemAt as n) (elemAt bs n)) (lib.min (length as) (length bs));
}
